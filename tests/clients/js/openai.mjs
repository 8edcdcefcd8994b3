import OpenAI from 'openai'
import { colours, endless, giveUp, key, question, refusal, said, tell, tooLong, url } from './asked.mjs'

const client = new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0 })
const stranger = new OpenAI({ baseURL: url, apiKey: 'wrong', maxRetries: 0 })
const asked = { model: 'gpt-4o', messages: said(question), temperature: 0, max_tokens: 7 }
const tools = [{ type: 'function', function: { name: 'paint', description: 'Paints.', parameters: colours } }]

const models = []
for await (const model of client.models.list()) models.push(model.id)
const whole = await client.chat.completions.create(asked)
let streamed = ''
for await (const chunk of await client.chat.completions.create({ ...asked, stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? ''
}
const called = await client.chat.completions
  .stream({ ...asked, max_tokens: 60, tools, tool_choice: 'required', parallel_tool_calls: false })
  .finalChatCompletion()
const { name, arguments: given } = called.choices[0].message.tool_calls[0].function
const long = await refusal(client.chat.completions.create({ ...asked, messages: said(tooLong) }))
const closed = await refusal(stranger.chat.completions.create(asked))
const controller = new AbortController()
const stream = await client.chat.completions.create(
  { model: 'x', messages: said(endless), stream: true, ignore_eos: true },
  { signal: controller.signal },
)
tell({
  models,
  whole: whole.choices[0].message.content,
  streamed,
  colour: name === 'paint' && JSON.parse(given).colour,
  long,
  closed,
  abort: await giveUp(stream, () => controller.abort()),
})
