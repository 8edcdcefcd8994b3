import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, Output, streamText, tool } from 'ai'
import { z } from 'zod'
import { endless, abortStream, key, question, errorOf, report, tooLong, url } from './test_cases.mjs'

globalThis.AI_SDK_LOG_WARNINGS = false
const named = (apiKey) => createOpenAICompatible({ name: 'inglenook', baseURL: url, apiKey, supportsStructuredOutputs: true })('gpt-4o')
const request = { model: named(key), prompt: question, temperature: 0, maxOutputTokens: 7, maxRetries: 0 }
const inputSchema = z.object({ colour: z.enum(['red', 'blue']) })
const tools = { paint: tool({ description: 'Paints.', inputSchema }) }

const whole = await generateText(request)
let streamed = ''
for await (const part of streamText(request).textStream) streamed += part
const called = streamText({ ...request, maxOutputTokens: 60, tools, toolChoice: { type: 'tool', toolName: 'paint' } })
const calls = await called.toolCalls
const structured = await generateText({ ...request, maxOutputTokens: 60, output: Output.object({ schema: inputSchema }) })
const overflow = await errorOf(generateText({ ...request, prompt: tooLong }))
const wrongKey = await errorOf(generateText({ ...request, model: named('wrong') }))
const controller = new AbortController()
const stream = streamText({ ...request, prompt: endless, maxOutputTokens: 2000, abortSignal: controller.signal })
report({
  models: null, // the package cannot list models
  whole: whole.text,
  streamed,
  colour: calls[0].toolName === 'paint' && ['red', 'blue'].includes(calls[0].input.colour) && structured.output.colour,
  overflow,
  wrongKey,
  abort: await abortStream(stream.textStream, () => controller.abort()),
})
