// The options object: the same shape in triggers and variation.
(function (kit) {
  'use strict'
  kit.hidden(kit.global, 'window', kit.global)
  kit.hidden(kit.global, 'self', kit.global)

  const state = kit.create(null)
  const shared = {
    get: function get (name) { return state[name] },
    set: function set (name, value) { state[name] = value }
  }

  // `boot` is parsed anew for each, so that triggers cannot spoil what the variation sees.
  kit.options = function (role, boot) {
    const copy = (text) => kit.parse(text)
    let members = null
    const rare = () => members === null ? members = kit.members(role, boot) : members
    return {
      integration: boot.integration,
      log: kit.logger(role),
      state: shared,
      meta: copy(boot.metaText),
      data: copy(boot.dataText),
      solution: copy(boot.solutionText),
      getVisitorState: function getVisitorState () { return kit.syncPromise.resolved(kit.visitorFacts(role, copy(boot.visitorStateText))) },
      getBrowserState: function getBrowserState () { return kit.syncPromise.resolved(kit.browserFacts(role, copy(boot.browserStateText))) },
      get uv () { return kit.events.uv },
      // what few files use is made when one does
      get emitCustomGoal () { return rare().emitCustomGoal },
      get emitMetric () { return rare().emitMetric },
      get cookies () { return rare().cookies },
      get poll () { return rare().poll },
      get onRemove () { return rare().onRemove },
      get onActivation () { return rare().onActivation },
      get redirectTo () { return rare().redirectTo },
      get registerContentAreas () { return rare().registerContentAreas },
      get unregisterContentAreas () { return rare().unregisterContentAreas },
      get isMemberOf () { return rare().isMemberOf },
      get getMemberships () { return rare().getMemberships },
      get onMembershipsChanged () { return rare().onMembershipsChanged },
      get react () { return rare().react }
    }
  }
})
