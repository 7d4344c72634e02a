// options.integration and App: marshals calls out and answers in. What is valid is the host's to say.
(function (kit) {
  'use strict'
  const inFlight = kit.create(null)
  let lastCall = 0
  let pending = 0

  const part = (found) => found === null ? '{}'
    : found.text !== undefined ? '{"text":' + kit.outLine(found.text) + (found.lostCount === 0 ? '' : ',"lost":[' + found.lost + '],"lostCount":' + kit.numberText(found.lostCount)) + '}'
      : '{"path":' + kit.quote(found.path) + ',"what":' + kit.quote(found.what) + '}'
  const lengthOf = (found) => found === null || found.text === undefined ? 0 : found.text.length

  // An absent value is null; a present one is its own JSON text, so that the host decides how to read it.
  const member = (value, path) => value === undefined || value === null ? null : kit.strictText(value, path)

  function call (integration, verb, defaults, payload, options, path) {
    if (pending >= kit.mostPending) kit.endBy('limit_calls', 'this run has ' + kit.mostPending + ' calls waiting for their answer')
    lastCall += 1
    pending += 1
    const id = lastCall
    const site = new kit.Error() // made here, so that a refusal has the author's line
    const sent = verb === 'cancel' ? null : kit.strictText(payload, path || 'payload')
    const chosen = member(options, 'options')
    kit.outCall('{"kind":"call","id":' + id + ',"verb":"' + verb + '","integration":' + kit.quote(integration) +
      ',"payload":' + part(sent) + ',"options":' + part(chosen) + ',"defaults":' + part(defaults) +
      ',"stack":' + kit.quote(kit.slice(kit.stackOf(site), 0, 2048)) + '}', lengthOf(sent) + lengthOf(chosen) + lengthOf(defaults))
    return new kit.Promise((resolve, reject) => {
      inFlight[id] = { __proto__: null, resolve: resolve, reject: reject, site: site }
    })
  }

  // The Errors that refusals reject with: the host has logged each already.
  kit.refusals = new kit.WeakSet()
  kit.answer = function (id, ok, text, code) {
    const waiting = inFlight[id]
    if (waiting === undefined) return
    delete inFlight[id]
    pending -= 1
    if (ok) return waiting.resolve(kit.parse(text))
    const error = waiting.site
    kit.hidden(error, 'message', text)
    kit.hidden(error, 'code', code)
    kit.setAdd(kit.refusals, error)
    waiting.reject(error)
  }

  const nameOf = (id) => typeof id === 'string' ? kit.slice(id, 0, 200) : kit.word(id)

  kit.hidden(kit.global, 'App', function App (name, parameters) {
    return call(nameOf(name), 'app', null, parameters === undefined ? null : parameters, undefined, 'parameters')
  })

  kit.integration = function (linked) {
    return function integration (id, defaults) {
      const name = nameOf(id)
      if (linked[name] !== true) {
        const error = new kit.Error('The integration ' + kit.quote(name) + ' is not linked to this experience')
        kit.hidden(error, 'code', 'not_linked')
        throw error
      }
      const given = member(defaults, 'defaults')
      const execute = function execute (payload, options) { return call(name, 'execute', given, payload, options) }
      kit.hidden(execute, 'execute', execute)
      kit.hidden(execute, 'schedule', function schedule (payload, options) { return call(name, 'schedule', given, payload, options) })
      kit.hidden(execute, 'cancel', function cancel (options) { return call(name, 'cancel', given, undefined, options) })
      return execute
    }
  }
})
