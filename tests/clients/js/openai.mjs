import OpenAI from 'openai'
import { colours, endless, abortStream, key, question, errorOf, userMessage, report, tooLong, url } from './test_cases.mjs'

const client = new OpenAI({ baseURL: url, apiKey: key, maxRetries: 0 })
const clientWithWrongKey = new OpenAI({ baseURL: url, apiKey: 'wrong', maxRetries: 0 })
const request = { model: 'gpt-4o', messages: userMessage(question), temperature: 0, max_tokens: 7 }
const tools = [{ type: 'function', function: { name: 'paint', description: 'Paints.', parameters: colours } }]

const models = []
for await (const model of client.models.list()) models.push(model.id)
const whole = await client.chat.completions.create(request)
let streamed = ''
for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) {
  streamed += chunk.choices[0]?.delta?.content ?? ''
}
const called = await client.chat.completions
  .stream({ ...request, max_tokens: 60, tools, tool_choice: 'required', parallel_tool_calls: false })
  .finalChatCompletion()
const { name, arguments: given } = called.choices[0].message.tool_calls[0].function
const overflow = await errorOf(client.chat.completions.create({ ...request, messages: userMessage(tooLong) }))
const wrongKey = await errorOf(clientWithWrongKey.chat.completions.create(request))
const controller = new AbortController()
const stream = await client.chat.completions.create(
  { model: 'x', messages: userMessage(endless), stream: true, ignore_eos: true },
  { signal: controller.signal },
)
report({
  models,
  whole: whole.choices[0].message.content,
  streamed,
  colour: name === 'paint' && JSON.parse(given).colour,
  overflow,
  wrongKey,
  abort: await abortStream(stream, () => controller.abort()),
})
