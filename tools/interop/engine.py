"""A price-time engine on the server classes of nasdaq-protocols. Usage: engine.py PORT STATE; the file STATE outlives the
process. It refuses a quantity of 13, and an order of 17 kills it: booked, and not answered."""
import asyncio, collections, os, pathlib, pickle, sys, time
import ouch_interop as ouch
from nasdaq_protocols import common, soup
INBOUND = {ord("O"): ouch.EnterOrder, ord("U"): ouch.ReplaceOrder, ord("X"): ouch.CancelOrder, ord("Q"): ouch.AccountQuery}
FRESH = {"sent": collections.defaultdict(list), "last": collections.Counter(), "book": [], "orders": 0, "trades": 0}
STATE, live = pathlib.Path(sys.argv[2]), {}  # What outlives the process; the latest session of each user.
state = pickle.loads(STATE.read_bytes()) if STATE.exists() else FRESH
def say(owner, kind, **fields):
    fields["timestamp"] = time.time_ns() % 86_400_000_000_000
    record = kind.BodyRecord({name: fields[name] for name in kind.BodyRecord.IndexedFields if name in fields})
    state["sent"][owner].append(kind(record).to_bytes()[1])
def reduce(order, quantity, kind, **fields):
    order["open"], order["done"] = order["open"] - quantity, order["done"] + quantity * (kind is ouch.OrderExecuted)
    say(order["user"], kind, **order | {"quantity": quantity} | fields)
def admit(order, kind):
    state["orders"], sign = state["orders"] + 1, 1 if order["side"] == "B" else -1
    say(order["user"], kind, **order | {"quantity": order["open"], "order_ref_num": state["orders"], "order_state": "L"})
    for one in sorted(state["book"], key=lambda one: one["price"] * sign):
        crosses = (one["side"] == "B") == (sign < 0) and (order["price"] - one["price"]) * sign >= 0
        if crosses and one["symbol"] == order["symbol"] and (quantity := min(order["open"], one["open"])):
            state["trades"] += 1
            for party, flag in (order, "R"), (one, "A"):
                reduce(party, quantity, ouch.OrderExecuted, price=one["price"], liquidity_flag=flag, match_number=state["trades"])
    if order["open"] and order["time_in_force"] == "3":
        reduce(order, order["open"], ouch.OrderCanceled, reason="I")
def take(user, kind, told):
    size, number = told.get("quantity"), told.get("orig_user_ref_num", told.get("user_ref_num"))
    old = next((one for one in state["book"] if (one["user"], one["user_ref_num"]) == (user, number) and one["open"]), None)
    left = max(0, size - old["done"]) if old else size  # Quantities count what was executed.
    if kind is ouch.AccountQuery:
        say(user, ouch.AccountQueryResponse, next_user_ref_num=state["last"][user] + 1)
    elif kind is ouch.CancelOrder and old and left < old["open"]:
        reduce(old, old["open"] - left, ouch.OrderCanceled, reason="U")
    elif kind is not ouch.CancelOrder and told["user_ref_num"] > state["last"][user] and (old or kind is ouch.EnterOrder):
        state["last"][user] = told["user_ref_num"]
        if size == 13:
            return say(user, ouch.Rejected, **told | {"reason": 0x13})
        order = (old or {"user": user, "done": 0}) | told | {"open": left}
        state["book"] = [one for one in state["book"] if one is not old] + [order]
        admit(order, ouch.OrderReplaced if old else ouch.OrderAccepted)
        return size == 17
class Session(soup.SoupServerSession):
    async def on_login(self, login):
        self.user, self.sequence = login.user, int(login.sequence) or len(state["sent"][login.user]) + 1
        live[self.user] = self
        asyncio.get_running_loop().call_soon(self.flush)  # Behind the answer.
        return soup.LoginAccepted("INTEROP", self.sequence)
    def flush(self):
        for message in state["sent"][self.user][self.sequence - 1:]:
            self.send_seq_msg(message)
    async def on_unsequenced(self, msg):
        kind = INBOUND[msg.data[0]]
        fatal = take(self.user, kind, kind.BodyRecord.from_bytes(msg.data[1:])[1].values)
        STATE.write_bytes(pickle.dumps(state))
        os._exit(17) if fatal else [session.flush() for session in live.values()]
async def main():
    await (await common.start_server(("127.0.0.1", int(sys.argv[1])), lambda: Session(client_heartbeat_interval=1)))[1]
asyncio.run(main())
