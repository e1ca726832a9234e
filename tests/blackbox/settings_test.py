"""How settings meet the person who writes them: what is unknown, what is out of range, what a name does."""
import os
import subprocess
import tempfile
import unittest

import product


class SettingsTest(unittest.TestCase):
    def quell(self, *words, **environment):
        env = {"PATH": os.environ["PATH"], "HOME": tempfile.gettempdir(), **environment}
        return subprocess.run([product.BINARY, *words], capture_output=True, text=True, timeout=60, env=env)

    def test_an_unknown_variable_is_warned_of_and_does_not_stop_the_server(self):
        checked = self.quell("config", "check", QUELL_STOR="x")
        self.assertEqual(checked.returncode, 0, checked.stderr)
        self.assertIn("QUELL_STOR: unknown setting 'stor' (did you mean 'store'?); it is passed over", checked.stderr)
        server = product.Server()
        self.addCleanup(server.remove)
        server.start({"QUELL_STOR": "x"})
        with open(os.path.join(server.data_dir, "server.log")) as log:
            self.assertIn("QUELL_STOR: unknown setting 'stor'", log.read())

    def test_an_unknown_name_in_the_file_or_as_a_flag_is_an_error(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write("stor = 'x'\n")
            file.flush()
            checked = self.quell("config", "check", QUELL_CONFIG=file.name)
        self.assertEqual(checked.returncode, 2, checked.stdout)
        self.assertIn(":1: unknown setting 'stor' (did you mean 'store'?)", checked.stderr)
        self.assertEqual(self.quell("serve", "--stor", "x").returncode, 2)

    def test_a_value_out_of_range_is_told_what_the_setting_takes(self):
        checked = self.quell("config", "check", QUELL_REQUEST_TIMEOUT_S="0")
        self.assertEqual(checked.returncode, 2)
        self.assertIn("QUELL_REQUEST_TIMEOUT_S: request_timeout_s takes a number of seconds from 1 to 3600, not '0'",
                      checked.stderr)

    def test_a_node_is_listed_by_its_name(self):
        server = product.Server("--node-name", "the cellar")
        self.addCleanup(server.remove)
        server.start()
        status, said = server.call("GET", "/api/v1/workers")
        self.assertEqual((status, [worker["name"] for worker in said["workers"]]), (200, ["the cellar"]))


if __name__ == "__main__":
    unittest.main()
