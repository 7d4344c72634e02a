// The least of `options` that the script needs, for engines that have nothing of ours: calls go out and answers
// come in as JSON text, as they do in the sandbox.
var host = (function () {
  'use strict'
  let outbox = []
  const waiting = []
  const kept = new Map()
  let outcome = 'running'

  function ask (verb, integration, payload, options) {
    return new Promise((resolve, reject) => {
      outbox.push({ kind: 'call', id: waiting.length, verb, integration, payload, options })
      waiting.push({ resolve, reject })
    })
  }

  function integration (id) {
    return { schedule: (payload, options) => ask('schedule', id, payload, options) }
  }

  function write (level) {
    return function (message, metadata) { outbox.push({ kind: 'log', level, message: String(message), metadata }) }
  }

  const options = {
    integration,
    log: { info: write('info'), error: write('error') },
    meta: { visitorId: 'ada' },
    state: { get: (name) => kept.get(name), set: (name, value) => { kept.set(name, value) } }
  }

  return {
    start (file) {
      const module = { exports: {} }
      file(module, module.exports)
      module.exports(options).then(() => { outcome = 'done' }, (error) => { outcome = String(error) })
    },
    deliver (text) {
      for (const answer of JSON.parse(text)) waiting[answer.id].resolve(answer.result)
    },
    collect () {
      const text = JSON.stringify({ outcome, outbox })
      outbox = []
      return text
    }
  }
})()
