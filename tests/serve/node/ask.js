// Reads lines of JSON {client, base_url, request} from standard input, asks with the
// client unmodified, and prints one line of JSON for each: {text, calls} or {error}.
import { createInterface } from "node:readline";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createGoogleGenerativeAI } from "@ai-sdk/google";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { jsonSchema, streamText, tool } from "ai";
import OpenAI from "openai";

globalThis.AI_SDK_LOG_WARNINGS = false;

async function withOpenAI({ base_url, request }) {
  const client = new OpenAI({ baseURL: base_url, apiKey: "unused", maxRetries: 0 });
  const completion = await client.chat.completions.stream(request).finalChatCompletion();
  const message = completion.choices[0].message;
  return {
    text: message.content ?? "",
    calls: (message.tool_calls ?? []).map((call) => [
      call.function.name,
      JSON.parse(call.function.arguments),
    ]),
  };
}

const models = {
  compatible: (baseURL) => createOpenAICompatible({ name: "harness", baseURL })("m"),
  chat: (baseURL) => createOpenAI({ baseURL, apiKey: "unused" }).chat("m"),
  responses: (baseURL) => createOpenAI({ baseURL, apiKey: "unused" }).responses("m"),
  anthropic: (baseURL) => createAnthropic({ baseURL, apiKey: "unused" })("m"),
  gemini: (baseURL) => createGoogleGenerativeAI({ baseURL, apiKey: "unused" })("m"),
};

async function withVercel({ base_url, api, request }) {
  const tools = {};
  for (const { function: offered } of request.tools ?? [])
    tools[offered.name] = tool({ inputSchema: jsonSchema(offered.parameters) });
  let failure;
  const result = streamText({
    model: models[api ?? "compatible"](base_url),
    prompt: "Go on.", // its own message format; the server answers in order
    tools,
    maxRetries: 0,
    onError: ({ error }) => (failure = error),
  });
  let text = "";
  const calls = [];
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") text += part.text;
    if (part.type === "tool-call") calls.push([part.toolName, part.input]);
    if (part.type === "error") failure = part.error;
  }
  if (failure) throw failure;
  return { text, calls };
}

const clients = { openai: withOpenAI, vercel: withVercel };
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let answer;
  try {
    answer = await clients[asked.client](asked);
  } catch (error) {
    answer = { error: `${error.name}: ${error.message}`.slice(0, 300) };
  }
  console.log(JSON.stringify(answer));
}
