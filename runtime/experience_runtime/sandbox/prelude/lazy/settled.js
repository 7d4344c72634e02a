// A thenable of something already known: handlers run at once, `.value` reads it, and `await` works.
(function (kit) {
  'use strict'
  const isThenable = (value) => typeof value === 'object' && value !== null && typeof value.then === 'function'

  function answer (fn, input, otherwise) {
    if (typeof fn !== 'function') return otherwise
    try {
      const next = fn(input)
      return isThenable(next) ? next : resolved(next)
    } catch (thrown) {
      return rejected(thrown)
    }
  }

  function resolved (value) {
    const self = {
      status: 'resolved',
      value: value,
      then: function then (onValue) { return answer(onValue, value, self) },
      catch: function () { return self }
    }
    return self
  }

  function rejected (reason) {
    const self = {
      status: 'rejected',
      reason: reason,
      then: function then (onValue, onReason) { return answer(onReason, reason, self) },
      catch: function (onReason) { return answer(onReason, reason, self) }
    }
    return self
  }

  return resolved
})
