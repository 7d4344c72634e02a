// The event bus, options.uv: listeners miss the past unless they ask for a replay.
(function (kit) {
  'use strict'
  const past = kit.queue()
  const listeners = kit.queue()
  const waiting = kit.queue()
  const sentListeners = kit.queue() // these hear what was sent, some events at a time
  let unsent = kit.queue()
  let draining = false
  let told = 0 // how many events were published: a listener hears those that come after it
  const events = []

  const matches = (pattern, type) => kit.isRegExp(pattern) ? kit.matches(pattern, type) : pattern === type

  function tell (listener, event) {
    if (listener.gone) return
    try {
      if (!matches(listener.pattern, event.type)) return
      if (listener.once) dispose(listener)
      kit.whenRejected(kit.apply(listener.fn, listener.self, [event.data]), logged)
    } catch (thrown) {
      logged(thrown)
    }
    function logged (thrown) {
      kit.failed('uv', thrown, 'a listener of ' + event.type + ' threw: ')
    }
  }

  function dispose (listener) {
    listener.gone = true
    listener.among.drop(listener)
  }

  // Sent: handed to the host, which is done with the task that emitted.
  function send (event) {
    if (sentListeners.isEmpty()) return
    if (unsent.isEmpty()) {
      kit.later(() => {
        const batch = unsent
        unsent = kit.queue()
        sentListeners.each((listener) => tellSent(listener, batch, listener.after))
      })
    }
    unsent.put(event)
  }

  function tellSent (listener, batch, after) {
    const sent = []
    try {
      batch.each((event) => {
        if (event.number >= after && matches(listener.pattern, event.type)) kit.push(sent, event.data)
      })
      if (listener.gone || sent.length === 0) return
      if (listener.once) dispose(listener)
      kit.whenRejected(kit.apply(listener.fn, listener.self, [sent]), logged)
    } catch (thrown) {
      logged(thrown)
    }
    function logged (thrown) {
      kit.failed('uv', thrown, 'a listener of sent events threw: ')
    }
  }

  function listen (among, pattern, fn, self, once) {
    if (typeof fn !== 'function') throw new kit.TypeError('uv.on needs a function, not ' + kit.word(fn))
    const listener = { __proto__: null, among: among, pattern: pattern, fn: fn, self: self, once: once, gone: false, after: told }
    among.put(listener)
    const subscription = {
      replay: function replay () {
        if (among === sentListeners) tellSent(listener, past, 0)
        else past.each((event) => tell(listener, event))
        return subscription
      },
      dispose: function () {
        dispose(listener)
        return subscription
      }
    }
    return subscription
  }

  function publish (event) {
    keep(event)
    send(event)
    waiting.put(() => {
      listeners.each((listener) => { if (listener.after <= event.number) tell(listener, event) })
    })
    if (draining) return // emitted inside a listener: queued, not nested
    draining = true
    try {
      while (!waiting.isEmpty()) {
        waiting.take()()
      }
    } finally {
      draining = false
    }
  }

  function keep (event) {
    event.number = told
    told += 1
    past.put(event)
    kit.push(events, event.data)
  }

  function place (object, name, value) {
    kit.define(object, name, { __proto__: null, value: value, writable: true, enumerable: true, configurable: true })
  }

  function copied (value) {
    const copy = {}
    if (typeof value !== 'object' || value === null) return copy
    const names = kit.keys(value)
    for (let index = 0; index < names.length; index++) place(copy, names[index], value[names[index]])
    return copy
  }

  function enriched (type, data, at) {
    const copy = copied(data)
    const meta = copied(copy.meta) // what the caller says there stays
    place(meta, 'type', type)
    place(meta, 'ts', at)
    place(copy, 'meta', meta)
    return kit.record({ type: type, data: copy, number: 0 })
  }

  // What listeners wait for, as a JSON list: the host says it of triggers that never called back.
  const MOST_WAITS = 5
  const sourceOf = kit.method(kit.descriptor(RegExp.prototype, 'source').get)

  function waits () {
    let list = ''
    let count = 0
    listeners.each((listener) => {
      count += 1
      if (count > MOST_WAITS) return
      const name = kit.isRegExp(listener.pattern) ? '/' + sourceOf(listener.pattern) + '/' : kit.word(listener.pattern)
      list += (list === '' ? '' : ',') + kit.quote(kit.slice(name, 0, 100))
    })
    return '[' + list + ']'
  }

  // An event from outside: the page, a story, or what happened before the run.
  const receive = (type, data, at) => publish(enriched(type, data, at))
  const remember = (type, data, at) => keep(enriched(type, data, at))
  const uv = {
    emit: function emit (type, data) {
      if (typeof type !== 'string') throw new kit.TypeError('uv.emit needs the name of the event, not ' + kit.word(type))
      kit.outEvent('{"kind":"event","type":' + kit.quote(type) + ',"data":' + kit.looseText(data === undefined ? {} : data) + '}')
      publish(enriched(type, data, kit.now))
    },
    on: function on (pattern, fn, self) { return listen(listeners, pattern, fn, self, false) },
    once: function once (pattern, fn, self) { return listen(listeners, pattern, fn, self, true) },
    onEventSent: function onEventSent (pattern, fn, self) { return listen(sentListeners, pattern, fn, self, false) },
    onceEventSent: function onceEventSent (pattern, fn, self) { return listen(sentListeners, pattern, fn, self, true) },
    events: events
  }
  kit.events = kit.record({ uv: uv, receive: receive, remember: remember, waits: waits, hasListeners: () => !listeners.isEmpty() || !sentListeners.isEmpty() })
})
