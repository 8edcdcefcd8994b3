import { Ollama } from 'ollama'
import { colours, endless, giveUp, key, question, refusal, root, said, tell, tooLong } from './asked.mjs'

const client = new Ollama({ host: root, headers: { authorization: `Bearer ${key}` } })
const stranger = new Ollama({ host: root })
const asked = { model: 'llama3.2', messages: said(question), options: { temperature: 0, num_predict: 7 } }

const models = (await client.list()).models.map((model) => model.model)
const whole = await client.chat(asked)
let streamed = ''
for await (const part of await client.chat({ ...asked, stream: true })) streamed += part.message.content
const formed = await client.chat({ ...asked, format: colours, options: { num_predict: 60 } })
const long = await refusal(client.chat({ ...asked, messages: said(tooLong) }))
const closed = await refusal(stranger.list())
const stream = await client.chat({ model: 'x', messages: said(endless), stream: true, options: { num_predict: 2000, temperature: 0 } })
tell({
  models,
  whole: whole.message.content,
  streamed,
  colour: JSON.parse(formed.message.content).colour,
  long,
  closed,
  abort: await giveUp(stream, () => stream.abort()),
})
