import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { generateText, Output, streamText, tool } from 'ai'
import { z } from 'zod'
import { endless, giveUp, key, question, refusal, tell, tooLong, url } from './asked.mjs'

globalThis.AI_SDK_LOG_WARNINGS = false
const named = (apiKey) => createOpenAICompatible({ name: 'inglenook', baseURL: url, apiKey, supportsStructuredOutputs: true })('gpt-4o')
const asked = { model: named(key), prompt: question, temperature: 0, maxOutputTokens: 7, maxRetries: 0 }
const inputSchema = z.object({ colour: z.enum(['red', 'blue']) })
const tools = { paint: tool({ description: 'Paints.', inputSchema }) }

const whole = await generateText(asked)
let streamed = ''
for await (const part of streamText(asked).textStream) streamed += part
const called = streamText({ ...asked, maxOutputTokens: 60, tools, toolChoice: { type: 'tool', toolName: 'paint' } })
const calls = await called.toolCalls
const formed = await generateText({ ...asked, maxOutputTokens: 60, output: Output.object({ schema: inputSchema }) })
const long = await refusal(generateText({ ...asked, prompt: tooLong }))
const closed = await refusal(generateText({ ...asked, model: named('wrong') }))
const controller = new AbortController()
const stream = streamText({ ...asked, prompt: endless, maxOutputTokens: 2000, abortSignal: controller.signal })
tell({
  models: null, // it has no way to ask
  whole: whole.text,
  streamed,
  colour: calls[0].toolName === 'paint' && ['red', 'blue'].includes(calls[0].input.colour) && formed.output.colour,
  long,
  closed,
  abort: await giveUp(stream.textStream, () => controller.abort()),
})
