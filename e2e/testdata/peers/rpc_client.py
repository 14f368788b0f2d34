"""Tutorial 6: requests what its arguments say, whatever that is, and prints the replies with their type."""

import sys
import uuid

import pika

from peer import connect

connection = connect()
channel = connection.channel()
callback_queue = channel.queue_declare(queue="", exclusive=True).method.queue
replies = {}


def on_response(ch, method, props, body):
    replies[props.correlation_id] = (props.type, body.decode())


channel.basic_consume(queue=callback_queue, on_message_callback=on_response, auto_ack=True)
for request in sys.argv[1:]:
    corr_id = str(uuid.uuid4())
    channel.basic_publish(
        exchange="",
        routing_key="rpc_queue",
        properties=pika.BasicProperties(reply_to=callback_queue, correlation_id=corr_id),
        body=request,
    )
    while corr_id not in replies:
        connection.process_data_events(time_limit=1)
    kind, body = replies[corr_id]
    print(f" [.] Got {kind or 'reply'}: {body}")
connection.close()
