// Vercel's AI SDK against the endpoint in PUNIE_URL. Prints one JSON object a scenario; test_vercel.py looks at them.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { generateObject, generateText, stepCountIs, streamText, tool } from 'ai';
import { z } from 'zod';

const provider = createOpenAICompatible({ name: 'punie', baseURL: `${process.env.PUNIE_URL}/v1`, includeUsage: true });
const model = provider('fake');
const maxRetries = 0;

const weather = tool({
  description: 'the weather',
  inputSchema: z.object({ city: z.string(), days: z.number() }),
  execute: async ({ city, days }) => `sunny in ${city} for ${days} days`,
});

function calling(script) {
  return { model, maxRetries, prompt: `script:${script}`, tools: { weather }, stopWhen: stepCountIs(3) };
}

async function streamed(settings) {
  const errors = [];
  const result = streamText({ ...settings, onError: ({ error }) => errors.push(String(error)) });
  let text = '';
  try {
    for await (const part of result.textStream) text += part;
  } catch (error) {
    errors.push(String(error));
  }
  return { text, errors, result };
}

const scenarios = {
  async plain() {
    const result = await generateText({ model, maxRetries, prompt: 'hi' });
    return { text: result.text, finish: result.finishReason, tokens: result.usage.outputTokens };
  },
  async stream() {
    const { text, errors } = await streamed({ model, maxRetries, prompt: 'hi' });
    return { text, errors };
  },
  async reasoning() {
    const result = await generateText({ model, maxRetries, prompt: 'script:think' });
    return { text: result.text, reasoning: result.reasoningText };
  },
  async object() {
    const schema = z.object({ city: z.string(), days: z.number() });
    const result = await generateObject({ model, maxRetries, schema, prompt: 'script:json' });
    return result.object;
  },
  async tool() {
    const result = await generateText(calling('tool'));
    return { text: result.text, steps: result.steps.length };
  },
  async tool_in_text() {
    const result = await generateText(calling('text_tool'));
    return { text: result.text, steps: result.steps.length };
  },
  async tool_streamed() {
    const { text, errors, result } = await streamed(calling('tool'));
    return { text, errors, steps: (await result.steps).length };
  },
  async tool_in_text_streamed() {
    const { text, errors, result } = await streamed(calling('text_tool'));
    return { text, errors, steps: (await result.steps).length };
  },
  async error() {
    try {
      await generateText({ model, maxRetries, prompt: 'script:status_429' });
    } catch (error) {
      return { status: error.statusCode, message: error.message };
    }
    return {};
  },
  async torn() {
    const { text, errors } = await streamed({ model, maxRetries, prompt: 'script:torn' });
    return { text, errors };
  },
  async cancel() {
    const controller = new AbortController();
    const result = streamText({ model, maxRetries, prompt: 'script:hang', abortSignal: controller.signal });
    for await (const _ of result.textStream) {
      controller.abort();
      break;
    }
    return { aborted: true };
  },
};

for (const [name, work] of Object.entries(scenarios)) {
  let found;
  try {
    found = await work();
  } catch (error) {
    found = { failed: String(error.stack ?? error) };
  }
  console.log(JSON.stringify({ name, ...found }));
}
