"""A client of the gateway, on the SoupBinTCP and OUCH client classes of nasdaq-protocols.

Every expectation is a check that prints a line, or ends the run by raising Failed.
"""
import asyncio
import socket
import struct

import ouch_interop as ouch
from nasdaq_protocols import soup

HOST = "127.0.0.1"
PASSWORD = "change-me"
# Bounds of failure, not of speed.
WAIT_S = 20
# The client heartbeats each second; a server that is silent for this long is taken for dead.
CLIENT_HEARTBEAT_S = 1
SERVER_SILENCE_S = 3


class Failed(Exception):
    """A check did not hold."""


def check(what, holds, *seen):
    if not holds:
        raise Failed("; seen: ".join([what, *map(shown, seen)]))
    print(f"ok  {what}", flush=True)


def shown(seen):
    """A message in one line; anything else as it is."""
    if isinstance(seen, list):
        return ", ".join(map(shown, seen))
    return f"{type(seen).__name__} {seen.record.as_collection()}" if isinstance(seen, ouch.Message) else str(seen)


async def within(what, awaitable):
    try:
        return await asyncio.wait_for(awaitable, WAIT_S)
    except asyncio.TimeoutError:
        raise Failed(f"{what}: nothing within {WAIT_S} s") from None


class Transport(soup.SoupClientSession):
    """Keeps the login's answer: the class's own count can lose to a replay that comes behind it."""

    accepted = None

    async def on_message(self, msg):
        if isinstance(msg, soup.LoginAccepted):
            self.accepted = msg
        await super().on_message(msg)


class Typed(ouch.ClientSession):
    """Messages beside their bytes; what the package cannot decode is kept as what went wrong."""

    def decode(self, bytes_):
        try:
            size, message = ouch.Message.from_bytes(bytes_)
            rest = bytes_[size:]
            if "appendage_length" in message.BodyRecord.IndexedFields:
                whole = len(rest) == message.appendage_length
            else:
                whole = not rest or len(rest) == 2 + int.from_bytes(rest[:2], "big")
            if len(bytes_) < size or not whole:
                raise ValueError(f"{type(message).__name__} of {len(bytes_)} bytes")
            return size, (bytes_, message)
        except Exception as error:
            return 0, (bytes_, error)


class Desk:
    """A user and all it was ever sent, over any number of connections."""

    def __init__(self, port, user):
        self.port = port
        self.user = user
        self.heard = []  # The bytes of each sequenced message; its number is its place, from 1.
        self.next_number = 1  # Of the next message on this connection.
        self.last_ref = 0
        self.probes = set()  # Numbers of orders whose answers may be of several kinds, till they come.
        self.inbox = None
        self.session = None

    async def connect(self, sequence, password=PASSWORD, session=""):
        """The package's own connection and login; raises ConnectionRefusedError on a rejection."""
        transport = await within(f"{self.user} logs on", soup.connect_async(
            (HOST, self.port), self.user, password, session, sequence,
            session_factory=lambda: Transport(
                client_heartbeat_interval=CLIENT_HEARTBEAT_S,
                server_heartbeat_interval=SERVER_SILENCE_S,
            ),
        ))
        self.inbox = inbox = asyncio.Queue()

        async def on_close():
            await inbox.put((b"", ConnectionError("the connection is closed")))

        self.session = Typed(transport, inbox.put, on_close)
        self.next_number = transport.accepted.sequence
        return transport.accepted

    async def log_on(self, sequence=None):
        """Logs on for what is not heard yet, or from a sequence number."""
        wanted = len(self.heard) + 1 if sequence is None else sequence
        accepted = await self.connect(wanted)
        expected = wanted or len(self.heard) + 1
        check(f"{self.user} logs on for {wanted} and is told {expected}", accepted.sequence == expected, accepted)
        check(f"{self.user} is told a session", accepted.session_id.strip() != "", accepted)
        return accepted.session_id

    async def refused(self, what, reason, sequence=1, **given):
        try:
            await self.connect(sequence, **given)
        except ConnectionRefusedError as error:
            check(f"{what} is refused with {reason.value}", str(error) == str(soup.LoginRejected(reason)), error)
        else:
            raise Failed(f"{what}: the login was accepted")

    async def drop(self):
        """Breaks the connection without a word: a reset, no logout."""
        transport = self.session.soup_session
        transport._transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport._transport.abort()
        await self.closed("drops its connection")

    async def log_out(self):
        self.session.soup_session.logout()
        await self.closed("logs out")

    async def closed(self, how):
        async def until_closed():
            while not self.session.closed:
                await asyncio.sleep(0.01)
        await within(f"{self.user} {how}", until_closed())

    def enter(self, side, quantity, price, *, symbol="ACME", time_in_force="0"):
        """Sends an order; returns it."""
        order = ouch.EnterOrder()
        order.user_ref_num = self.next_ref()
        order.side = side
        order.quantity = quantity
        order.symbol = symbol
        order.price = price
        order.time_in_force = time_in_force
        order.display = "Y"
        order.capacity = "P"
        order.iso_eligible = "N"
        order.cross_type = "N"
        order.cl_ord_id = f"{self.user}{order.user_ref_num}"
        self.session.send_message(order)
        return order

    def replace(self, order, quantity, price):
        """Sends a replace; returns it."""
        replace = ouch.ReplaceOrder()
        replace.orig_user_ref_num = order.user_ref_num
        replace.user_ref_num = self.next_ref()
        replace.quantity = quantity
        replace.price = price
        replace.time_in_force = "0"
        replace.display = "Y"
        replace.iso_eligible = "N"
        replace.cl_ord_id = f"{self.user}{replace.user_ref_num}"
        self.session.send_message(replace)
        return replace

    def cancel(self, order, quantity=0):
        """Sends a cancel down to a total quantity."""
        cancel = ouch.CancelOrder()
        cancel.user_ref_num = order.user_ref_num
        cancel.quantity = quantity
        self.session.send_message(cancel)

    def next_ref(self):
        self.last_ref += 1
        return self.last_ref

    async def next(self, what):
        """The next message: new, or the same bytes again as under its number before."""
        return self.take(await within(f"{self.user} waits for {what}", self.inbox.get()))

    async def next_within(self, seconds):
        """The next message if one comes so soon, else None."""
        try:
            return self.take(await asyncio.wait_for(self.inbox.get(), seconds))[1]
        except asyncio.TimeoutError:
            return None

    def take(self, heard):
        """Numbers a message and holds it against what was heard under its number."""
        raw, message = heard
        number, self.next_number = self.next_number, self.next_number + 1
        if isinstance(message, Exception):
            raise Failed(f"{self.user} {number}: {message!r} in {raw.hex()}")
        if number <= len(self.heard):
            if self.heard[number - 1] != raw:
                raise Failed(f"{self.user} {number}: {self.heard[number - 1].hex()} was resent as {raw.hex()}")
        else:
            self.heard.append(raw)
            if isinstance(message, (ouch.OrderAccepted, ouch.Rejected)):
                self.probes.discard(message.user_ref_num)
        return number, message

    async def expect(self, kind, **fields):
        """The next message is this, with these fields."""
        wanted = " ".join([kind.__name__, *(f"{name}={value!r}" for name, value in fields.items())])
        number, message = await self.next(wanted)
        holds = type(message) is kind and all(getattr(message, name) == value for name, value in fields.items())
        check(f"{self.user} {number}: {wanted}", holds, message)
        return message

    async def accepted(self, order):
        """The order is accepted with what it asked."""
        same = ("user_ref_num", "side", "quantity", "symbol", "price", "time_in_force", "display", "capacity",
                "iso_eligible", "cross_type", "cl_ord_id")
        return await self.expect(ouch.OrderAccepted, order_state="L", **{name: getattr(order, name) for name in same})

    async def rejected(self, order, reason):
        """The order is rejected for this reason."""
        await self.expect(ouch.Rejected, user_ref_num=order.user_ref_num, reason=reason, cl_ord_id=order.cl_ord_id)

    async def resend(self, sequence):
        """Takes what is resent from a number up to the last heard, each byte for byte as before."""
        last = len(self.heard)
        while self.next_number <= last:
            await self.next("what is resent")
        check(f"{self.user} is resent {sequence} to {last}, byte for byte", len(self.heard) == last)
