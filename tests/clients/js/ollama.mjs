import { Ollama } from 'ollama'
import { colours, endless, abortStream, key, question, errorOf, root, userMessage, report, tooLong } from './test_cases.mjs'

const client = new Ollama({ host: root, headers: { authorization: `Bearer ${key}` } })
const clientWithWrongKey = new Ollama({ host: root })
const request = { model: 'llama3.2', messages: userMessage(question), options: { temperature: 0, num_predict: 7 } }

const models = (await client.list()).models.map((model) => model.model)
const whole = await client.chat(request)
let streamed = ''
for await (const part of await client.chat({ ...request, stream: true })) streamed += part.message.content
const structured = await client.chat({ ...request, format: colours, options: { num_predict: 60 } })
const overflow = await errorOf(client.chat({ ...request, messages: userMessage(tooLong) }))
const wrongKey = await errorOf(clientWithWrongKey.list())
const stream = await client.chat({ model: 'x', messages: userMessage(endless), stream: true, options: { num_predict: 2000, temperature: 0 } })
report({
  models,
  whole: whole.message.content,
  streamed,
  colour: JSON.parse(structured.message.content).colour,
  overflow,
  wrongKey,
  abort: await abortStream(stream, () => stream.abort()),
})
