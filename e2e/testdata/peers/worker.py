"""Tutorial 2: does tasks, a tenth of a second for each dot, and acknowledges them."""

import time

from peer import connect

channel = connect().channel()
channel.queue_declare(queue="task_queue", durable=True)


def callback(ch, method, properties, body):
    print(f" [x] Received {body.decode()}, delivery mode {properties.delivery_mode}")
    time.sleep(body.count(b".") / 10)
    print(" [x] Done")
    ch.basic_ack(delivery_tag=method.delivery_tag)


channel.basic_qos(prefetch_count=1)
channel.basic_consume(queue="task_queue", on_message_callback=callback)
print(" [*] Waiting for messages. To exit press CTRL+C")
channel.start_consuming()
