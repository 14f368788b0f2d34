"""Calls an RPC server N times, so many calls at once, with a reply queue: call.py URL QUEUE N AT_ONCE NUMBER"""
import sys
import time

import pika

url, queue, n, at_once, number = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
began = {}
latencies = []


def call():
    call_id = str(len(latencies) + len(began))
    began[call_id] = time.monotonic()
    channel.basic_publish('', queue, number, pika.BasicProperties(reply_to=replies, correlation_id=call_id))


def replied(channel, method, properties, body):
    latencies.append(time.monotonic() - began.pop(properties.correlation_id))
    if n == 1:
        print(f" [.] Got {body.decode()}")
    if len(latencies) + len(began) < n:
        call()
    elif not began:
        channel.stop_consuming()


connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
replies = channel.queue_declare(queue='', exclusive=True).method.queue
channel.basic_consume(queue=replies, on_message_callback=replied, auto_ack=True)
start = time.monotonic()
for _ in range(min(at_once, n)):
    call()
channel.start_consuming()
took = time.monotonic() - start
connection.close()
if n > 1:
    latencies.sort()
    p50, p99 = (1000 * latencies[n * p // 100] for p in (50, 99))
    print(f"Made {n} calls in {took:.2f}s ({n / took:.0f} calls/s), latency p50 {p50:.3f}ms, p99 {p99:.3f}ms", file=sys.stderr)
