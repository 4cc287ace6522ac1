#!/usr/bin/env python3
"""Runs a program that has the tap interface tap0, whose other end is an echo server:

  unshare --map-root-user --net tests/guests/behind_tap.py COMMAND...

In a network namespace of its own it needs no root and cannot meet the host's network.
"""

import socketserver
import subprocess
import sys
import threading

ADDRESS, PORT = "10.9.0.1", 7


class Echo(socketserver.BaseRequestHandler):
    """Sends all back once the peer has sent all."""

    def handle(self):
        parts = iter(lambda: self.request.recv(1 << 16), b"")
        self.request.sendall(b"".join(parts))


def main():
    for words in ("tuntap add tap0 mode tap", f"address add {ADDRESS}/24 dev tap0",
                  "link set tap0 up"):
        subprocess.run(["ip", *words.split()], check=True)
    with socketserver.ThreadingTCPServer((ADDRESS, PORT), Echo) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        status = subprocess.run(sys.argv[1:], check=False).returncode
        server.shutdown()
    sys.exit(status if status >= 0 else 128 - status)


if __name__ == "__main__":
    main()
