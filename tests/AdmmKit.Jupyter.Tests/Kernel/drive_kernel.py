"""Drives the installed AdmmKit kernels through Debian's jupyter_client, as Jupyter does; prints "passed" where all is as it should be."""
import os
import signal
import sys
import time

from jupyter_client.manager import KernelManager


def check(condition, *what):
    if not condition:
        raise AssertionError(what)


class Kernel:
    def __init__(self, name):
        self.manager = KernelManager(kernel_name=name)
        self.manager.start_kernel(cwd=os.getcwd())
        self.connect()

    def connect(self):
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=90)

    def run(self, code):
        """The answer to a cell, and its outputs."""
        outputs = []
        reply = self.client.execute_interactive(code, timeout=90, allow_stdin=False, output_hook=outputs.append)
        return reply["content"], [o for o in outputs if o["msg_type"] not in ("status", "execute_input")]

    def text(self, code):
        """All text that a cell gives, by streams, displays and its result."""
        content, outputs = self.run(code)
        check(content["status"] == "ok", code, content, outputs)
        return "".join(o["content"].get("text") or o["content"]["data"]["text/plain"] for o in outputs)

    def answer(self, send, *arguments, **named):
        return self.client._recv_reply(send(*arguments, **named), timeout=90)["content"]

    def close(self):
        self.client.stop_channels()
        if self.manager.is_alive():
            self.manager.shutdown_kernel(now=True)


def csharp(kernel):
    check(kernel.answer(kernel.client.kernel_info)["language_info"]["name"] == "C#")
    check(kernel.text("var kept = 20 + 1;\nConsole.WriteLine(\"to the console\");") == "to the console\n")
    check(kernel.text("kept * 2") == "42")
    check(kernel.text("System.IO.Directory.GetCurrentDirectory()").strip('"') == os.getcwd(), "the notebook's folder")

    _, outputs = kernel.run("var shown = display(\"first\");\nshown.Update(\"second\");")
    check([o["msg_type"] for o in outputs] == ["display_data", "update_display_data"], outputs)
    ids = {o["content"]["transient"]["display_id"] for o in outputs}
    check(len(ids) == 1, ids)

    content, outputs = kernel.run("int zero = 0;\nvar x = 1 / zero;")
    check(content["status"] == "error" and "Divide" in content["ename"] and outputs[-1]["msg_type"] == "error", content)
    content, _ = kernel.run("Console.In.ReadLine() == null")
    check(content["status"] == "ok", content)

    check("kept" in kernel.answer(kernel.client.complete, "kep", 3)["matches"])
    found = kernel.answer(kernel.client.inspect, "Math.Sqrt(2)", 7)
    check(found["found"] and "Sqrt" in found["data"]["text/plain"], found)
    check(kernel.answer(kernel.client.is_complete, "if (true) {")["status"] == "incomplete")
    check(kernel.answer(kernel.client.is_complete, "1 + 1")["status"] == "complete")
    history = kernel.answer(kernel.client.history, raw=True, output=False, hist_access_type="tail", n=100)["history"]
    check("kept * 2" in [h[2] for h in history], history)

    # Two ways to stop a cell: a request, as the kernelspec says, and the signal of a terminal, which whoever is started in the
    # background of a script has to ignore, and its children with it.
    stops = [kernel.manager.interrupt_kernel]
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        stops.append(lambda: kernel.manager.signal_kernel(signal.SIGINT))
    for stop in stops:
        cell = kernel.client.execute("Console.WriteLine(\"begun\"); while (true) { }")
        while "begun" not in kernel.client.get_iopub_msg(timeout=90)["content"].get("text", ""):
            pass
        start = time.monotonic()
        stop()
        reply = kernel.answer(lambda: cell)
        check(reply["status"] == "error", reply)
        check(time.monotonic() - start < 5, "stopped too late")
        check(kernel.text("kept") == "21", "the variables are still there")

    kernel.client.stop_channels()
    kernel.manager.restart_kernel(now=False)
    kernel.connect()
    content, _ = kernel.run("kept")
    check(content["status"] == "error", "the variables are gone after a restart")
    check(kernel.text("1 + 1") == "2")

    # What nothing stops ends the process, by its own word; Jupyter starts another.
    cell = kernel.client.execute("Console.WriteLine(\"begun\");\nawait Task.Yield();\nSystem.Threading.Thread.Sleep(-1);")
    while "begun" not in kernel.client.get_iopub_msg(timeout=90)["content"].get("text", ""):
        pass
    kernel.manager.interrupt_kernel()
    reply = kernel.answer(lambda: cell)
    check(reply["status"] == "error" and "its variables are lost" in reply["evalue"], reply)
    end = time.monotonic() + 60
    while kernel.manager.is_alive():
        check(time.monotonic() < end, "the process ends")
        time.sleep(0.1)


def fsharp(kernel):
    check(kernel.answer(kernel.client.kernel_info)["language_info"]["name"] == "F#")
    check(kernel.text("let kept = 20 + 1\nprintfn \"to the console\"") == "to the console\n")
    check(kernel.text("kept * 2") == "42")
    content, _ = kernel.run("(failwith \"on purpose\" : int)")
    check(content["status"] == "error" and "on purpose" in content["evalue"], content)
    check("kept" in kernel.answer(kernel.client.complete, "kep", 3)["matches"])


for name, drive in (("admmkit-csharp", csharp), ("admmkit-fsharp", fsharp)):
    kernel = Kernel(name)
    try:
        drive(kernel)
        if kernel.manager.is_alive():
            kernel.manager.shutdown_kernel(now=False)
        check(not kernel.manager.is_alive(), "ended")
    finally:
        kernel.close()
print("passed")
sys.stdout.flush()
