"""What the kernel of a dead server still sends: nothing. A request whose receiver does not read lies half with the sender's
kernel; after kill -9, the next life and a proven delete the receiver reads on, and must meet a reset."""
import fcntl
import socket
import struct
import termios
import unittest

import product
from product import until
from total_delete import UNPROVEN

BODY = 150_000


def unconfirmed(port):
    """Bytes to this port, which their sender's kernel holds."""
    with open("/proc/net/tcp") as table:
        for line in list(table)[1:]:
            _, _, remote, state, queues = line.split()[:5]
            if state == "01" and int(remote.split(":")[1], 16) == port:
                return int(queues.split(":")[0], 16)
    return 0


def unread(sock):
    return struct.unpack("i", fcntl.ioctl(sock, termios.FIONREAD, b"\0" * 4))[0]


class OfADeadServer(unittest.TestCase):
    def test_a_request_is_not_sent_on_after_the_proven_delete(self):
        with socket.create_server(("127.0.0.1", 0)) as listener, product.Server("--outbound-allow", "127.0.0.0/8") as quell:
            port = listener.getsockname()[1]
            job = quell.submit("http", {"method": "POST", "url": f"http://127.0.0.1:{port}/", "body": "x" * BODY})
            receiver, _ = listener.accept()
            until(lambda: (held := unconfirmed(port)) and held + unread(receiver) >= BODY, what="a request with the kernel")
            quell.kill()
            quell.start()
            status, reply = quell.delete_many([job], wait=5)
            self.assertEqual((status, reply["counts"]["deleted"], reply["counts"]["unproven"]), (200, 1, 0), reply)
            self.assertNotIn(reply["outcomes"][0]["verdict"], UNPROVEN)
            received = 0
            receiver.settimeout(30)
            with self.assertRaises(ConnectionResetError):
                while piece := receiver.recv(65536):
                    received += len(piece)
                raise AssertionError(f"it ended in order, after {received} bytes")
            self.assertLess(received, BODY)
            receiver.close()


if __name__ == "__main__":
    unittest.main()
