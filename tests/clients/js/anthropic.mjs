import Anthropic from '@anthropic-ai/sdk'
import { colours, endless, giveUp, key, question, refusal, root, said, tell, tooLong } from './asked.mjs'

const client = new Anthropic({ baseURL: root, apiKey: key, maxRetries: 0 })
const stranger = new Anthropic({ baseURL: root, apiKey: 'wrong', maxRetries: 0 })
const asked = { model: 'claude', messages: said(question), temperature: 0, max_tokens: 7 }
const tools = [{ name: 'paint', description: 'Paints.', input_schema: colours }]
const tool_choice = { type: 'any', disable_parallel_tool_use: true }

const models = []
for await (const model of client.models.list()) models.push(model.id)
const whole = await client.messages.create(asked)
const streamed = await client.messages.stream(asked).finalText()
const called = await client.messages.stream({ ...asked, max_tokens: 60, tools, tool_choice }).finalMessage()
const block = called.content.at(-1)
const long = await refusal(client.messages.create({ ...asked, messages: said(tooLong) }))
const closed = await refusal(stranger.messages.create(asked))
const stream = await client.messages.create({ ...asked, messages: said(endless), max_tokens: 2000, stream: true })
tell({
  models,
  whole: whole.content[0].text,
  streamed,
  colour: block.name === 'paint' && block.input.colour,
  long,
  closed,
  abort: await giveUp(stream, () => stream.controller.abort()),
})
