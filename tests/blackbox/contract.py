"""Holds every reply against the description of the API that the server itself gives: status, headers, and each member of
the body. A reply that says more than is documented is as wrong as one that says less."""
import json
import re

import jsonschema

DATE_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\Z")
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")

FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time")
def _is_time(value):
    return not isinstance(value, str) or bool(DATE_TIME.match(value))


@FORMATS.checks("uuid")
def _is_uuid(value):
    return not isinstance(value, str) or bool(UUID.match(value))


@FORMATS.checks("uri")
def _is_uri(value):
    return not isinstance(value, str) or "://" in value


def strict_json(text):
    """JSON without a member that is there twice: two readers could see two replies."""

    def once(pairs):
        names = [name for name, _ in pairs]
        assert len(names) == len(set(names)), f"a member is there twice: {names}"
        return dict(pairs)

    return json.loads(text, object_pairs_hook=once)


class Contract:
    def __init__(self, document):
        self.document = document
        self.validators = {}
        self.seen = set()  # (operation, status, code or "")
        self.operations = {}
        self.patterns = []
        for path, item in document["paths"].items():
            pattern = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + r"\Z")
            self.patterns.append((path.count("{"), pattern, item))
            for operation in item.values():
                self.operations[operation["operationId"]] = operation
        self.patterns.sort(key=lambda entry: entry[0])

    def operation(self, method, path):
        for _, pattern, item in self.patterns:
            if pattern.match(path):
                return item.get("get" if method == "HEAD" else method.lower())
        return None

    def validator(self, schema):
        key = json.dumps(schema, sort_keys=True)
        if key not in self.validators:
            whole = {**schema, "components": self.document["components"]}
            self.validators[key] = jsonschema.Draft202012Validator(whole, format_checker=FORMATS)
        return self.validators[key]

    def assert_fits(self, schema, value, what):
        faults = [f"{what} at /{'/'.join(map(str, e.absolute_path))}: {e.message[:300]}"
                  for e in self.validator(schema).iter_errors(value)]
        assert not faults, "\n".join(faults)

    def check(self, method, target, status, headers, body):
        """`headers`: names in lower case. Raises AssertionError; gives the decoded body back."""
        path = target.split("?")[0]
        what = f"{method} {path} -> {status}"
        operation = self.operation(method, path)
        self.check_headers(what, status, headers)
        if method == "HEAD" or status in (204, 304):
            assert not body, f"{what}: a body where none belongs"
            self.note(operation, status, "")
            return None
        kind = headers.get("content-type", "").split(";")[0]
        if kind == "application/problem+json":
            value = strict_json(body)
            self.check_problem(what, operation, status, value, headers)
            return value
        assert operation, f"{what}: only a problem may come where there is no operation"
        documented = operation["responses"].get(str(status), {}).get("content", {})
        assert kind in documented, f"{what}: {kind} is not documented (but {list(documented)})"
        self.note(operation, status, "")
        if kind != "application/json":
            return body.decode()
        value = strict_json(body)
        self.assert_fits(documented[kind]["schema"], value, what)
        return value

    def check_headers(self, what, status, headers):
        assert headers.get("cache-control") == "no-store", what
        assert headers.get("x-content-type-options") == "nosniff", what
        assert "default-src 'none'" in headers.get("content-security-policy", ""), what
        assert headers.get("referrer-policy") == "no-referrer", what
        assert "server" not in headers and "x-powered-by" not in headers, what
        assert status != 401 or headers.get("www-authenticate") == "Bearer", what
        assert status != 405 or headers.get("allow"), what
        assert status not in (429,) or int(headers["retry-after"]) > 0, what
        assert status != 201 or "location" in headers or "jobs" not in what or "bulk" in what, what

    def check_problem(self, what, operation, status, value, headers):
        self.assert_fits({"$ref": "#/components/schemas/Problem"}, value, what)
        code = value["code"]
        assert value["status"] == status, f"{what}: the problem says {value['status']}"
        assert value["type"].endswith("/" + code), what
        assert status != 503 or headers.get("retry-after"), what
        if operation:
            allowed = operation["responses"].get(str(status), {}).get("x-codes", [])
            assert code in allowed, f"{what}: '{code}' is not documented here (but {allowed})"
        self.note(operation, status, code)

    def note(self, operation, status, code):
        self.seen.add((operation["operationId"] if operation else "", status, code))
