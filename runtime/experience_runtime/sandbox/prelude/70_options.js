// The options object: the same shape in triggers and variation.
(function (kit) {
  'use strict'
  // Settled at once, readable as .value, and still fine to await.
  function settled (value) {
    return {
      status: 'resolved',
      value: value,
      then: function then (onValue) {
        if (typeof onValue !== 'function') return settled(value)
        const next = onValue(value)
        const isThenable = typeof next === 'object' && next !== null && typeof next.then === 'function'
        return isThenable ? next : settled(next)
      },
      catch: function () { return settled(value) }
    }
  }

  const state = kit.create(null)
  const shared = {
    get: function get (name) { return state[name] },
    set: function set (name, value) { state[name] = value }
  }

  // `boot` is parsed anew for each, so that triggers cannot spoil what the variation sees.
  kit.options = function (role, boot) {
    const copy = (text) => kit.parse(text)
    return {
      integration: boot.integration,
      log: kit.logger(role),
      state: shared,
      meta: copy(boot.metaText),
      data: copy(boot.dataText),
      solution: copy(boot.solutionText),
      getVisitorState: function getVisitorState () { return settled(copy(boot.visitorStateText)) },
      getBrowserState: function getBrowserState () { return settled(copy(boot.browserStateText)) },
      get uv () { return kit.part('events').uv }
    }
  }
})
