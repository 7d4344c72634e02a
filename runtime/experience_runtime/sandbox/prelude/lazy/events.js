// The event bus, options.uv: listeners miss the past unless they ask for a replay.
(function (kit) {
  'use strict'
  const past = kit.queue()
  const listeners = kit.queue()
  const waiting = kit.queue()
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
      kit.logThrown('uv', 'a listener of ' + event.type + ' threw: ', thrown)
    }
  }

  function dispose (listener) {
    listener.gone = true
    listeners.drop(listener)
  }

  function listen (pattern, fn, self, once) {
    if (typeof fn !== 'function') throw new kit.TypeError('uv.on needs a function, not ' + kit.word(fn))
    const listener = { __proto__: null, pattern: pattern, fn: fn, self: self, once: once, gone: false, after: told }
    listeners.put(listener)
    const subscription = {
      replay: function replay () {
        past.each((event) => tell(listener, event))
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
    const number = told
    told += 1
    past.put(event)
    kit.push(events, event.data)
    waiting.put(() => {
      listeners.each((listener) => { if (listener.after <= number) tell(listener, event) })
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

  function enriched (type, data) {
    const copy = {}
    if (typeof data === 'object' && data !== null) {
      const names = kit.keys(data)
      for (let index = 0; index < names.length; index++) {
        kit.define(copy, names[index], {
          __proto__: null, value: data[names[index]], writable: true, enumerable: true, configurable: true
        })
      }
    }
    kit.define(copy, 'meta', {
      __proto__: null, value: { type: type, ts: kit.now }, writable: true, enumerable: true, configurable: true
    })
    return kit.record({ type: type, data: copy })
  }

  // An event from outside: the page, a story, or what happened before the run.
  const receive = (type, data) => publish(enriched(type, data))
  const remember = function (type, data) {
    const event = enriched(type, data)
    past.put(event)
    kit.push(events, event.data)
  }
  const uv = {
    emit: function emit (type, data) {
      if (typeof type !== 'string') throw new kit.TypeError('uv.emit needs the name of the event, not ' + kit.word(type))
      kit.out('{"kind":"event","type":' + kit.quote(type) + ',"data":' + kit.looseText(data === undefined ? {} : data) + '}')
      publish(enriched(type, data))
    },
    on: function on (pattern, fn, self) { return listen(pattern, fn, self, false) },
    once: function once (pattern, fn, self) { return listen(pattern, fn, self, true) },
    events: events
  }
  return kit.record({ uv: uv, receive: receive, remember: remember, hasListeners: () => !listeners.isEmpty() })
})
