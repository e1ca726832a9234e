"""A TCP proxy that misbehaves on order: one link for each node, between it and the database.

    hold    bytes and connects wait until the link heals, as in a partition that TCP survives
    drop    bytes are swallowed, so the connections are lost: they are reset when the link heals
    delay   each piece waits so many seconds
    cut     after so many bytes of one direction the connection is reset
    late    the reply to each COMMIT waits between so many and so many seconds, drawn anew each time
    commit  the reply to the next COMMIT is swallowed and the connection reset: the outcome is unknown to the node
    reset   all connections are reset now
    upstream  where new connections go from now on

`up` is from the node to the database, `down` the way back; a fault of one direction alone is a one-way partition."""
import asyncio
import random
import socket
import struct
import threading

DIRECTIONS = ("up", "down")
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


class Link:
    def __init__(self, proxy, name, upstream):
        self.proxy, self.name, self.upstream = proxy, name, upstream
        self.pairs = set()
        self.calm()
        self.healed = asyncio.Event()
        self.server = None
        self.port = None

    def calm(self):
        self.mode = dict.fromkeys(DIRECTIONS, "pass")
        self.delay = 0.0
        self.late = None
        self.cut = dict.fromkeys(DIRECTIONS)
        self.commits = 0

    async def listen(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=512)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        pair = Pair(self, reader, writer)
        self.pairs.add(pair)
        try:
            await pair.run()
        except asyncio.CancelledError:
            pass  # the proxy stops
        finally:
            self.pairs.discard(pair)
            pair.reset()

    async def wait_to_pass(self, direction):
        while self.mode[direction] == "hold":
            self.healed.clear()
            await self.healed.wait()

    # ---- orders, from any thread -----------------------------------------------------------------

    def do(self, **orders):
        """do(up="hold"), do(up="drop", down="drop"), do(delay=0.2), do(late=(0.03, 0.11)), do(cut=("down", 700)), do(commit=1), do(reset=True)"""
        self.proxy.call(self.obey, orders)

    def heal(self):
        self.proxy.call(self.obey, {"heal": True})

    def obey(self, orders):
        for direction in DIRECTIONS:
            if direction in orders:
                self.mode[direction] = orders[direction]
        self.delay = orders.get("delay", self.delay)
        self.late = orders.get("late", self.late)
        self.upstream = orders.get("upstream", self.upstream)
        self.commits = orders.get("commit", self.commits)
        if "cut" in orders:
            self.cut[orders["cut"][0]] = orders["cut"][1]
        if orders.get("heal"):
            self.calm()
        for pair in list(self.pairs):
            if orders.get("reset") or (orders.get("heal") and pair.spoilt):
                pair.reset()
        self.healed.set()


class Pair:
    def __init__(self, link, reader, writer):
        self.link, self.reader, self.writer = link, reader, writer
        self.far = None
        self.spoilt = False    # bytes were swallowed: what follows would be out of step
        self.doubtful = False  # a COMMIT has gone up whose reply must not come down

    async def run(self):
        await self.link.wait_to_pass("up")
        if self.link.mode["up"] == "drop":
            self.spoilt = True
            await self.reader.read()
            return
        try:
            far_reader, self.far = await self.link.proxy.connect(self.link.upstream)
        except OSError:
            return
        pumps = [asyncio.create_task(self.pump("up", self.reader, self.far)),
                 asyncio.create_task(self.pump("down", far_reader, self.writer))]
        try:
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)

    async def pump(self, direction, source, sink):
        link = self.link
        try:
            while data := await source.read(65536):
                await link.wait_to_pass(direction)
                if link.delay:
                    await asyncio.sleep(link.delay)
                if link.late and direction == "down" and b"COMMIT\0" in data:
                    await asyncio.sleep(random.uniform(*link.late))
                if link.mode[direction] == "drop":
                    self.spoilt = True
                    continue
                if self.takes_reply(direction, data):
                    return
                data, ends = self.shortened(direction, data)
                sink.write(data)
                await sink.drain()
                if ends:
                    return
            # An end that the wire does not carry is not seen on the other side.
            await link.wait_to_pass(direction)
            while link.mode[direction] == "drop":
                link.healed.clear()
                await link.healed.wait()
        except OSError:
            pass

    def takes_reply(self, direction, data):
        if direction == "up" and self.link.commits > 0 and (b"COMMIT\0" in data or b"COMMIT;" in data):
            self.link.commits -= 1
            self.doubtful = True
            self.link.proxy.commits_cut += 1
        return direction == "down" and self.doubtful and b"COMMIT\0" in data

    def shortened(self, direction, data):
        left = self.link.cut[direction]
        if left is None:
            return data, False
        self.link.cut[direction] = left - len(data) if left > len(data) else None
        return data[:left], left <= len(data)

    def reset(self):
        for writer in (self.writer, self.far):
            if writer is None or writer.transport.is_closing():
                continue
            sock = writer.get_extra_info("socket")
            if sock is not None and sock.family == socket.AF_INET:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
            writer.transport.abort()


class Proxy:
    """All links, in a thread of their own."""

    def __init__(self):
        self.commits_cut = 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()

    @staticmethod
    async def connect(upstream):
        if isinstance(upstream, str):
            return await asyncio.open_unix_connection(upstream)
        return await asyncio.open_connection(*upstream)

    def link(self, name, upstream):
        """`upstream`: the path of a socket, or (host, port)."""
        async def make():
            link = Link(self, name, upstream)
            await link.listen()
            return link
        return asyncio.run_coroutine_threadsafe(make(), self.loop).result(10)

    def call(self, function, *arguments):
        async def run():
            return function(*arguments)
        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(10)

    def stop(self):
        def end():
            for task in asyncio.all_tasks(self.loop):
                task.cancel()
            self.loop.call_later(0.1, self.loop.stop)
        self.loop.call_soon_threadsafe(end)
        self.thread.join(10)
        self.loop.close()
