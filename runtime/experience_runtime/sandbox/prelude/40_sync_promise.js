// A promise that does not wait: handlers run at once when it is settled, `.value` reads it, and `await` works.
(function (kit) {
  'use strict'
  const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function'

  // -> {promise, resolve, reject}
  function defer () {
    const handlers = kit.queue()
    const self = {
      status: 'pending',
      value: undefined,
      reason: undefined,
      then: function then (onValue, onReason) {
        const next = defer()
        const handle = () => {
          const isValue = self.status === 'resolved'
          const handler = isValue ? onValue : onReason
          if (typeof handler !== 'function') return isValue ? next.resolve(self.value) : next.reject(self.reason)
          let result
          try {
            result = handler(isValue ? self.value : self.reason)
          } catch (thrown) {
            return next.reject(thrown)
          }
          next.resolve(result)
        }
        if (self.status === 'pending') handlers.put(handle)
        else handle()
        return next.promise
      },
      catch: function (onReason) { return self.then(undefined, onReason) }
    }
    function settle (status, name, value) {
      if (self.status !== 'pending') return
      self.status = status
      self[name] = value
      while (!handlers.isEmpty()) handlers.take()()
    }
    const refuse = (reason) => settle('rejected', 'reason', reason)
    // a thenable is followed; the first thing it says counts
    function adopt (value) {
      const once = onlyOnce()
      try {
        const then = isObject(value) ? value.then : undefined
        if (typeof then !== 'function') return settle('resolved', 'value', value)
        kit.apply(then, value, [once(adopt), once(refuse)])
      } catch (thrown) {
        once(refuse)(thrown)
      }
    }
    const once = onlyOnce()
    return kit.record({ promise: self, resolve: once(adopt), reject: once(refuse) })
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
