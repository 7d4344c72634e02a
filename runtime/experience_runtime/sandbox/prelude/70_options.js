// The options object: the same shape in triggers and variation.
(function (kit) {
  'use strict'
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
      getVisitorState: function getVisitorState () { return kit.part('settled')(copy(boot.visitorStateText)) },
      getBrowserState: function getBrowserState () { return kit.part('settled')(copy(boot.browserStateText)) },
      get uv () { return kit.part('events').uv }
    }
  }
})
