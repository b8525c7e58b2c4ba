"""The aws command, which takes longer to load than to run: `serve SOCKET` loads it once
and runs it in a process of its own for each `call SOCKET ARGUMENT...`, which has the
caller's environment, directory, and standard streams."""

import gc
import json
import os
import socket
import sys


def serve(path):
    import signal

    import awscli.clidriver
    import awscli.handlers  # noqa: F401: loaded here, not by each process

    # The time that processes took counts as that of this one once it knows of their end.
    signal.signal(signal.SIGCHLD, lambda *_: reap())
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(64)
    gc.disable()  # which would go through all that is loaded, in each process
    print("ready", flush=True)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            run(connection, awscli.clidriver.main)
        connection.close()


def reap():
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def run(connection, main):
    message, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    caller = json.loads(message)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.chdir(caller["directory"])
    loaded = {"AWS_DATA_PATH": os.environ["AWS_DATA_PATH"]}  # by the command itself
    os.environ.clear()
    os.environ.update(caller["environment"] | loaded)
    sys.argv = ["aws", *caller["arguments"]]
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    connection.send(bytes([status]))
    os._exit(0)


def call(path, *arguments):
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(path)
    caller = {"directory": os.getcwd(), "environment": dict(os.environ), "arguments": arguments}
    socket.send_fds(connection, [json.dumps(caller).encode()], [0, 1, 2])
    sys.exit((connection.recv(1) or b"\xff")[0])


{"serve": serve, "call": call}[sys.argv[1]](*sys.argv[2:])
