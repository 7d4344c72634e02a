// The members of `options` that few files use: goals, cookies, polling, hooks, redirects, segments, React.
(function (kit) {
  'use strict'
  const GOAL_KEY = 'pageviews.customvalues.uv.events.action'

  function lists (value, name) {
    if (!kit.isArray(value)) return value === name
    for (let index = 0; index < value.length; index++) if (value[index] === name) return true
    return false
  }

  // -> the goal's id; null when the package has goals, and none of this name
  function goalId (goals, name) {
    if (!kit.isArray(goals)) return 'goalId'
    for (let index = 0; index < goals.length; index++) {
      const goal = goals[index]
      if (typeof goal !== 'object' || goal === null || goal.key !== GOAL_KEY) continue
      if (lists(goal.value, name)) return goal.goalId
    }
    return null
  }

  function needsDom (what) {
    return new kit.Error(what + ' needs a DOM, and there is none here; what a page shows cannot be part of this experience')
  }

  kit.members = function (role, boot) {
    const meta = kit.parse(boot.metaText)
    const page = kit.parse(boot.pageText)
    const emit = (type, data) => kit.events.uv.emit(type, data)
    const sync = kit.syncPromise

    function noDom (what) {
      const error = needsDom(what)
      kit.writeLog(role, 'error', error.message, 'null')
      return new kit.Promise((resolve, reject) => reject(error))
    }

    return kit.record({
      emitCustomGoal: function emitCustomGoal (name) {
        if (typeof name !== 'string' || name === '') throw new kit.TypeError('No name was provided for the custom goal')
        const id = goalId(page.customGoals, name)
        if (id === null) return kit.writeLog(role, 'warn', 'no custom goal of package.json is named ' + kit.quote(kit.slice(name, 0, 200)) + '; nothing was emitted', 'null')
        emit('qubit.goalAchieved', {
          goalId: id,
          experienceId: meta.experienceId,
          variationMasterId: meta.variationMasterId,
          iterationId: meta.iterationId,
          isControl: meta.variationIsControl,
          goalType: 'other'
        })
      },
      emitMetric: function emitMetric (type, productId, metadata) {
        emit('qubit.metric', {
          type: type,
          experienceId: meta.experienceId,
          iterationId: meta.iterationId,
          variationId: meta.variationId,
          variationMasterId: meta.variationMasterId,
          productId: productId,
          metadata: typeof metadata === 'string' || metadata === undefined ? metadata : kit.looseText(metadata)
        })
      },
      get cookies () { return kit.cookies.options },
      poll: function poll (targets, settings) {
        if (typeof settings === 'function') {
          throw new kit.TypeError('poll takes options, not a callback; write options.poll(targets).then(callback)')
        }
        return kit.poller.promised(targets, settings, true)
      },
      onRemove: function onRemove (fn) { kit.hooks.onRemove(role, fn) },
      onActivation: function onActivation (fn) { kit.hooks.onActivation(role, fn) },
      redirectTo: function redirectTo (url) {
        if (typeof url !== 'string') throw new kit.TypeError('redirectTo needs a URL, not ' + kit.word(url))
        kit.outRedirect('{"kind":"redirect","url":' + kit.quote(kit.slice(url, 0, 8192)) + '}')
      },
      registerContentAreas: function registerContentAreas () {},
      unregisterContentAreas: function unregisterContentAreas () {},
      isMemberOf: function isMemberOf (segment) {
        return sync.resolved(kit.isArray(page.segments) && lists(page.segments, segment))
      },
      getMemberships: function getMemberships () {
        const segments = kit.parse(boot.pageText).segments
        return sync.resolved(kit.isArray(segments) ? segments : [])
      },
      onMembershipsChanged: function onMembershipsChanged () { return { dispose: function dispose () {} } },
      react: {
        register: function register () { return noDom('options.react.register') },
        render: function render () { return noDom('options.react.render') },
        getReact: function getReact () { throw needsDom('options.react.getReact') },
        release: function release () {}
      }
    })
  }
})
