import Anthropic from '@anthropic-ai/sdk'
import { colours, endless, abortStream, key, question, errorOf, root, userMessage, report, tooLong } from './test_cases.mjs'

const client = new Anthropic({ baseURL: root, apiKey: key, maxRetries: 0 })
const clientWithWrongKey = new Anthropic({ baseURL: root, apiKey: 'wrong', maxRetries: 0 })
const request = { model: 'claude', messages: userMessage(question), temperature: 0, max_tokens: 7 }
const tools = [{ name: 'paint', description: 'Paints.', input_schema: colours }]
const tool_choice = { type: 'any', disable_parallel_tool_use: true }

const models = []
for await (const model of client.models.list()) models.push(model.id)
const whole = await client.messages.create(request)
const streamed = await client.messages.stream(request).finalText()
const called = await client.messages.stream({ ...request, max_tokens: 60, tools, tool_choice }).finalMessage()
const block = called.content.at(-1)
const overflow = await errorOf(client.messages.create({ ...request, messages: userMessage(tooLong) }))
const wrongKey = await errorOf(clientWithWrongKey.messages.create(request))
const stream = await client.messages.create({ ...request, messages: userMessage(endless), max_tokens: 2000, stream: true })
report({
  models,
  whole: whole.content[0].text,
  streamed,
  colour: block.name === 'paint' && block.input.colour,
  overflow,
  wrongKey,
  abort: await abortStream(stream, () => stream.controller.abort()),
})
