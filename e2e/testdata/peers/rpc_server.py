"""Tutorial 6: answers requests, each twice, after a reply that belongs to nobody."""

import pika

from peer import connect

channel = connect().channel()
channel.queue_declare(queue="rpc_queue")


def fib(n):
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


def on_request(ch, method, props, body):
    print(f" [.] fib({int(body)})")
    for correlation_id, reply in (("nobody's", 1), (props.correlation_id, fib(int(body))), (props.correlation_id, 2)):
        ch.basic_publish(
            exchange="",
            routing_key=props.reply_to,
            properties=pika.BasicProperties(correlation_id=correlation_id),
            body=str(reply),
        )
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue="rpc_queue", on_message_callback=on_request)
print(" [x] Awaiting RPC requests")
channel.start_consuming()
