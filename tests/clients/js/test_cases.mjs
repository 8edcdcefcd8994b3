// The requests of every client. Run as `node SCRIPT ROOT KEY`; prints one JSON object.
export const [root, key] = process.argv.slice(2)
export const url = `${root}/v1`
export const question = 'What is the capital of France?'
export const endless = 'Say sea sea sea sea sea sea sea sea sea sea forever: sea sea sea sea sea sea sea sea sea sea'
export const tooLong = 'word '.repeat(20_000)
export const colours = {
  type: 'object',
  properties: { colour: { type: 'string', enum: ['red', 'blue'] } },
  required: ['colour'],
  additionalProperties: false,
}

export const userMessage = (content) => [{ role: 'user', content }]

/** The error that `promise` is rejected with, in the terms of the client; null if it is fulfilled. */
export async function errorOf(promise) {
  try {
    await promise
  } catch (error) {
    return { kind: error.constructor.name, status: error.status ?? error.status_code ?? error.statusCode, message: error.message }
  }
  return null
}

/** Reads three parts of a stream and aborts it by `stop`. Returns whether there were three parts. */
export async function abortStream(stream, stop) {
  let parts = 0
  try {
    for await (const part of stream) if (++parts === 3) stop()
  } catch (error) {
    if (!error.name.includes('Abort') && !error.constructor.name.includes('Abort')) throw error
  }
  return parts >= 3
}

export const report = (found) => console.log(JSON.stringify(found))
