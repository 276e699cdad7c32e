"""What the sandbox costs in one process: python tests/benchmarks/sandbox.py

- requests a second of processor time, by the transport itself (`answer`) and through httpx, on the demo
  account;
- searches and lists with 300 and with 30,000 customers: what is found is the same, so the cost should be;
- the demo account: processor time and memory;
- a subscription's create with its first invoice and payment (goal: 2 ms of processor time), and a year of
  advancing the demo (goal: 5 s).
"""

import resource
import time

import httpx

from stripe_magics.sandbox import SandboxTransport

HEADERS = {"authorization": "Bearer sk_test_benchmark", "content-type": "application/x-www-form-urlencoded"}
DEMO = [
    ("list of 100", "GET", "/v1/payment_intents", "limit=100"),
    ("list of 100, filtered", "GET", "/v1/balance_transactions", "limit=100&type=refund"),
    ("list of 100, expanded", "GET", "/v1/charges", "limit=100&expand[]=data.balance_transaction"),
    ("search of 100", "GET", "/v1/invoices/search", "limit=100&query=status:'void'"),
]
GROWING = [
    ("search email", "/v1/customers/search", "query=email:'c77@example.com'"),
    ("search part of an email", "/v1/customers/search", "query=email~'c123@'"),
    ("search metadata", "/v1/customers/search", "query=metadata['number']:'250'"),
    ("search by time", "/v1/customers/search", "query=created>1793610000 AND email:'c77@example.com'"),
    ("list by email", "/v1/customers", "email=c77@example.com"),
    ("list by time", "/v1/customers", "created[gte]=1793610000&limit=10"),
    ("a customer's invoices", "/v1/invoices", "customer=cus_77"),
    ("a customer's open invoices", "/v1/invoices", "customer=cus_77&status=open"),
    ("invoices by status", "/v1/invoices", "status=void&limit=10"),
]


def cost(call, seconds=0.5):
    """Processor time of a call in microseconds."""
    call()
    count, begin = 0, time.process_time()
    while (took := time.process_time() - begin) < seconds:
        call()
        count += 1
    return took / count * 1e6


def rates(transport):
    def ask(method, path, query="", body=b""):
        answer = transport.answer(method, path, query, HEADERS, body)
        assert answer.status == 200, answer.body

    account = transport.account
    intent = account.table("payment_intent").rows[-1].id
    rows = [("retrieve", "GET", f"/v1/payment_intents/{intent}", ""), *DEMO]
    for name, *call in rows:
        print(f"  {name:32} {1e6 / cost(lambda call=call: ask(*call)):>10,.0f} a second")
    body = b"email=jenny%40example.com&name=Jenny&metadata[plan]=pro"
    print(f"  {'create':32} {1e6 / cost(lambda: ask('POST', '/v1/customers', '', body)):>10,.0f} a second")
    headers = {"Authorization": "Bearer sk_test_benchmark"}
    with httpx.Client(transport=transport, base_url="https://api.stripe.com", headers=headers) as client:
        for name, path in (
            ("retrieve through httpx", f"/v1/payment_intents/{intent}"),
            ("list of 100 through httpx", "/v1/payment_intents?limit=100"),
        ):
            print(
                f"  {name:32} {1e6 / cost(lambda path=path: client.get(path).raise_for_status()):>10,.0f} a"
                " second"
            )


def grown(customers):
    """An account with that many customers, and ten invoices for every ten of them."""
    transport = SandboxTransport(demo=False)
    account = transport.account
    begin = 1793610000 - customers
    for number in range(customers):
        moment = begin + number + 5
        account.insert(
            "customer",
            {"id": f"cus_{number}", "object": "customer", "created": moment,
                "email": f"c{number}@example.com", "metadata": {"number": str(number)}, "test_clock": None},
        )  # fmt: skip
        status = "void" if number < 50 else "open" if number % 7 else "paid"
        account.insert(
            "invoice", {"id": f"in_{number}", "object": "invoice", "created": moment,
                "customer": f"cus_{number}", "status": status, "test_clock": None}
        )  # fmt: skip
    return transport


def growth():
    few, many = grown(300), grown(30_000)
    print(f"  {'microseconds a call':32} {'300':>10} {'30,000':>10} customers")
    for name, path, query in GROWING:
        costs = [
            cost(lambda one=one, path=path, query=query: one.answer("GET", path, query, HEADERS, b""), 0.2)
            for one in (few, many)
        ]
        print(f"  {name:32} {costs[0]:>10,.0f} {costs[1]:>10,.0f}")


def subscribe(transport, name, count=100, runs=3):
    """A customer's subscription with its first invoice, paid at once."""
    headers = {"Authorization": "Bearer sk_test_benchmark"}
    with httpx.Client(transport=transport, base_url="https://api.stripe.com", headers=headers) as client:

        def post(path, **params):
            answer = client.post(path, data=params)
            answer.raise_for_status()
            return answer.json()

        price = {
            "product_data[name]": "P",
            "currency": "usd",
            "unit_amount": 900,
            "recurring[interval]": "month",
        }
        plan = post("/v1/prices", **price)["id"]
        card = {"payment_method": "pm_card_visa", "invoice_settings[default_payment_method]": "pm_card_visa"}
        took = []
        for _ in range(runs):
            people = [post("/v1/customers", **card)["id"] for _ in range(count)]
            start = time.process_time()
            for each in people:
                post("/v1/subscriptions", customer=each, **{"items[0][price]": plan})
            took.append((time.process_time() - start) / count * 1000)
        shown = ", ".join(f"{each:.2f}" for each in took)
        print(f"A subscription begins, {name}: {shown} ms of processor time ({runs} runs of {count})")


def main():
    before, memory = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    transport = SandboxTransport()
    transport.prepare()
    took = time.process_time() - before
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) / 1024
    print(f"The demo account: {took:.2f} s of processor time, {more:.0f} MB")
    print("Requests a second of processor time:")
    rates(transport)
    print("With more customers:")
    growth()
    subscribe(SandboxTransport(), "in the demo")
    subscribe(SandboxTransport(demo=False), "in an empty account")
    years = []
    for _ in range(3):
        transport = SandboxTransport()
        transport.prepare()
        begin = time.process_time()
        transport.advance(365 * 86400)
        years.append(time.process_time() - begin)
    print(f"A year passes in the demo: {', '.join(f'{each:.2f}' for each in years)} s of processor time")


if __name__ == "__main__":
    main()
