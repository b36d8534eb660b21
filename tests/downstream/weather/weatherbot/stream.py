# The SDK's .stream() helper chokes on some local servers, so we do it by hand.
class Reply:
    def __init__(self):
        self.text = ""
        self.calls = {}
        self.order = []

    def tool_calls(self):
        return [self.calls[k] for k in self.order]

    def asMessage(self):
        m = {"role": "assistant", "content": self.text}
        if self.order:
            m["tool_calls"] = [
                {"id": c["id"], "type": "function",
                 "function": {"name": c["name"], "arguments": c["arguments"] or "{}"}}
                for c in self.tool_calls()
            ]
        return m


def add(reply, chunk):
    for choice in chunk.choices or []:
        if choice.index or not choice.delta:
            continue
        d = choice.delta
        if isinstance(d.content, str):
            reply.text += d.content
        for tc in d.tool_calls or []:
            key = tc.index
            if key not in reply.calls:
                reply.calls[key] = {"id": tc.id, "name": "", "arguments": ""}
                reply.order.append(key)
            call = reply.calls[key]
            if tc.function and tc.function.name:
                call["name"] += tc.function.name
            if tc.function and tc.function.arguments:
                call["arguments"] += tc.function.arguments
    return reply


async def parse_stream(chunks):
    reply = Reply()
    async for chunk in chunks:
        add(reply, chunk)
    return reply
