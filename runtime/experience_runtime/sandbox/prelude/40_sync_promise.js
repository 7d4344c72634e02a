// A promise that does not wait: handlers run at once when it is settled, `.value` reads it, and `await` works.
(function (kit) {
  'use strict'
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  const endless = () => new kit.TypeError('a promise that waits for itself is never settled; resolve it with another value')

  // -> {promise, resolve, reject}
  function defer () {
    const handlers = kit.queue()
    // what is kept apart from what an author may write to
    let status // undefined while it waits, then true or false
    let value
    const self = {
      status: undefined,
      value: undefined, // what it was resolved with, or the reason of its rejection
      then: function then (onValue, onReason) {
        const next = defer()
        const handle = () => {
          const handler = status ? onValue : onReason
          if (typeof handler !== 'function') return status ? next.resolve(value) : next.reject(value)
          let result
          try {
            result = handler(value)
            if (result === next.promise) throw endless()
          } catch (thrown) {
            return next.reject(thrown)
          }
          next.resolve(result)
        }
        if (status === undefined) handlers.put(handle)
        else handle()
        return next.promise
      },
      catch: function (onReason) { return self.then(undefined, onReason) }
    }
    function settle (how, what) {
      if (status !== undefined) return
      status = self.status = how
      value = self.value = what
      while (!handlers.isEmpty()) handlers.take()()
    }
    const refuse = (reason) => settle(false, reason)
    // a thenable is followed; the first thing it says counts
    function adopt (given) {
      const once = onlyOnce()
      try {
        if (given === self) throw endless()
        const then = isObject(given) ? given.then : undefined
        if (typeof then !== 'function') return settle(true, given)
        kit.apply(then, given, [once(adopt), once(refuse)])
      } catch (thrown) {
        once(refuse)(thrown)
      }
    }
    function resolve (given) {
      if (given === self) throw endless()
      adopt(given)
    }
    const once = onlyOnce()
    return kit.record({ promise: self, resolve: once(resolve), reject: once(refuse) })
  }

  // -> a maker of functions, of which together only the first call counts
  function onlyOnce () {
    let called = false
    return (act) => (value) => {
      if (called) return
      called = true
      act(value)
    }
  }

  function resolved (value) {
    const made = defer()
    made.resolve(value)
    return made.promise
  }

  function rejected (reason) {
    const made = defer()
    made.reject(reason)
    return made.promise
  }

  kit.syncPromise = kit.record({ defer: defer, resolved: resolved, rejected: rejected })
})
