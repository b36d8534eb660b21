// Vercel's `ai` as the same worker: lines of base URLs in, lines of answers out.
// `node libraries.mjs FOLDER API`, where FOLDER holds its node_modules.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

console.log = console.info = console.warn = console.error = () => {};
const [folder, api] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const load = (name) => import(pathToFileURL(require.resolve(name)));
const { streamText } = await load("ai");

const models = {
  chat: async (baseURL) =>
    (await load("@ai-sdk/openai-compatible"))
      .createOpenAICompatible({ name: "c", baseURL, apiKey: "unused" })
      .chatModel("m"),
  responses: async (baseURL) =>
    (await load("@ai-sdk/openai")).createOpenAI({ baseURL, apiKey: "unused" }).responses("m"),
  anthropic: async (baseURL) =>
    (await load("@ai-sdk/anthropic")).createAnthropic({
      baseURL: `${baseURL}/v1`,
      apiKey: "unused",
    })("m"),
  gemini: async (baseURL) =>
    (await load("@ai-sdk/google")).createGoogleGenerativeAI({
      baseURL: `${baseURL}/v1beta`,
      apiKey: "unused",
    })("m"),
};
const LANGUAGE = ["TypeError", "RangeError", "ReferenceError", "SyntaxError"];

async function ask(baseURL) {
  let error;
  const result = streamText({
    model: await models[api](baseURL),
    prompt: "Found by harness fuzz.",
    maxRetries: 0,
    onError: (event) => (error ??= event.error),
  });
  let content = "";
  const calls = [];
  let finish = null;
  for await (const part of result.fullStream) {
    if (part.type === "text-delta") content += part.text ?? part.delta ?? "";
    else if (part.type === "tool-call" && !part.providerExecuted) {
      const input = part.input;
      calls.push({
        name: part.toolName,
        arguments: typeof input === "string" ? input : JSON.stringify(input ?? {}),
      });
    } else if (part.type === "finish") finish = part.finishReason;
    else if (part.type === "error") error ??= part.error;
  }
  if (error) throw error;
  return { content, calls, finish };
}

const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
say({ version: require("ai/package.json").version });
for await (const line of createInterface({ input: process.stdin })) {
  let found;
  try {
    found = await ask(line.trim());
  } catch (error) {
    const name = error?.name ?? "Error";
    const message = error?.message ?? JSON.stringify(error);
    found = { error: `${name}: ${message}`.slice(0, 200), is_crash: LANGUAGE.includes(name) };
  }
  say(found);
}
