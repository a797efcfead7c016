-- Where each result of a tool was taken in, as a traceparent: the span that goes on with the turn links to all of them.
ALTER TABLE agent.tool_call ADD COLUMN trace text;
