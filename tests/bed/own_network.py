"""Runs a program in a network of its own, with nothing but a loopback: `python namespace.py PROGRAM ARGUMENT...`.

Where the system does not allow that (it takes rights that root has), the program runs in the network that there is.
"""

import ctypes
import fcntl
import os
import socket
import struct
import sys

CLONE_NEWNET = 0x40000000
SIOCSIFFLAGS, IFF_UP, IFF_RUNNING = 0x8914, 0x1, 0x40


def enter_own_network() -> None:
    if not sys.platform.startswith("linux") or ctypes.CDLL(None).unshare(CLONE_NEWNET) != 0:
        return
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP | IFF_RUNNING))


enter_own_network()
os.execvp(sys.argv[1], sys.argv[1:])
