"""How many requests a second the sandbox serves through httpx, on the demo account: python tests/benchmarks/sandbox.py"""

import time

import httpx

from stripe_magics.sandbox import SandboxTransport


def rate(client, count, what, **params):
    client.get(what, params=params)
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(count):
        client.get(what, params=params)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(
        f"{what} {params or ''}: {count / wall:,.0f} a second ({count / cpu:,.0f} a second of processor time)"
    )


def main():
    transport = SandboxTransport()
    headers = {"Authorization": "Bearer sk_test_benchmark"}
    with httpx.Client(transport=transport, base_url="https://api.stripe.com", headers=headers) as client:
        intent = client.get("/v1/payment_intents").json()["data"][0]["id"]
        rate(client, 3000, f"/v1/payment_intents/{intent}")
        rate(client, 500, "/v1/payment_intents", limit=100)
        rate(client, 500, "/v1/balance_transactions", limit=100, type="refund")
        rate(client, 200, "/v1/invoices", limit=100)
        rate(client, 100, "/v1/charges", limit=100, **{"expand[]": "data.balance_transaction"})
        rate(client, 50, "/v1/invoices/search", limit=100, query='status:"void"')
    start = time.perf_counter()
    transport.advance(30 * 86400)
    print(f"thirty days pass in {time.perf_counter() - start:.2f} s")


if __name__ == "__main__":
    main()
