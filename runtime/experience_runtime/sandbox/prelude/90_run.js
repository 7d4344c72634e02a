// One run, from the outside: start it, deliver answers and time, take one task at a time, collect what it asks.
// The worker holds these functions; guest code never does. Text goes in, text comes out.
(function (kit) {
  'use strict'
  let triggers = 'none' // none | waiting | yes | no | failed
  let variation = 'none' // none | running | done | failed
  let error = 'null'
  const tasks = kit.queue()
  let experience = null // what is run, once it has begun
  let cycle = 0 // a later view begins the next; what an earlier one still says is not heard
  let hasDecided = false // in any cycle, that the variation runs
  kit.later = (task) => tasks.put(task)
  kit.isActive = false
  kit.runsAcrossViews = false

  const UNREADABLE = '{"role":"run","code":"","text":"a value that cannot be read","stack":""}'

  // `intro` is what the log says before the thrown value; of a refusal the log has its line already.
  function failed (role, thrown, intro) {
    const isFirst = error === 'null'
    if (isFirst) error = UNREADABLE // holds when there is no time or memory for more
    try {
      const found = kit.describe(thrown)
      const stack = kit.quote(found.stack)
      if (isFirst) error = '{"role":"' + role + '","code":' + kit.quote(found.code) + ',"text":' + kit.quote(found.text) + ',"stack":' + stack + '}'
      const isRefusal = typeof thrown === 'object' && thrown !== null && kit.setHas(kit.refusals, thrown)
      if (!isRefusal) kit.writeLog(role, 'error', (intro || '') + found.text, '{"stack":' + stack + '}')
    } catch (again) { // a limit, which is noted where it is found
    }
  }
  kit.failed = failed

  // Call a function that nobody waits for: what it throws, or its promise rejects with, is the run's failure.
  kit.guarded = function (role, fn, args) {
    try {
      kit.whenRejected(kit.apply(fn, undefined, args), ended)
    } catch (thrown) {
      ended(thrown)
    }
    function ended (thrown) {
      variation = 'failed'
      failed(role, thrown)
    }
  }

  kit.whenRejected = function (result, tell) {
    const isPromise = typeof result === 'object' && result !== null && kit.prototypeOf(result) === kit.promisePrototype
    if (isPromise) follow(result, tell)
  }

  async function follow (promise, tell) {
    try {
      await promise
    } catch (thrown) {
      tell(thrown)
    }
  }

  // What the worker found when it compiled the files, before any of them ran: {thrown}.
  let loadFailure = null
  let globalFailure = null
  const loadFailed = function (thrown) { loadFailure = { __proto__: null, thrown: thrown } }
  const globalFailed = function (thrown) { globalFailure = { __proto__: null, thrown: thrown } }

  // -> whether the run begins, and the worker is to run the global script next
  const start = function (text) {
    const boot = kit.parse(text)
    kit.setNow(boot.now)
    kit.seed(boot.seed)
    kit.setZone(boot.zone, boot.offsetsText)
    kit.setOtherZones(boot.zonesText)
    kit.setLimits(boot.limits)
    const failure = loadFailure !== null ? loadFailure : boot.checkOnly ? globalFailure : null
    if (failure !== null) failed('load', failure.thrown)
    if (failure !== null || boot.checkOnly) return false
    if (boot.globalRequires) kit.giveRequire()
    const linked = kit.create(null)
    for (let index = 0; index < boot.linked.length; index++) linked[boot.linked[index]] = true
    boot.integration = kit.integration(linked)
    for (let index = 0; index < boot.events.length; index++) kit.events.remember(boot.events[index].type, boot.events[index].data, boot.events[index].at)
    kit.cookies.fill(kit.parse(boot.cookiesText))
    experience = boot
    begin()
    if (globalFailure !== null) globalThrew(globalFailure.thrown)
    return true
  }

  function begin () {
    tasks.put(() => experience.hasTriggers ? runTriggers() : activate())
  }

  // A later view: take back what was done, and run all again in the same scope.
  function restart () {
    if (experience === null || kit.runsAcrossViews) return
    cycle += 1
    kit.isActive = false
    kit.hooks.removed()
    begin()
  }

  const globalThrew = function (thrown) {
    kit.logThrown('global', '', thrown)
  }

  // Promises that were rejected and that nobody has handled yet, with the reason, in their order.
  const rejections = new kit.Map()
  const MOST_TOLD = 10
  const rejected = function (promise, reason, isHandled) {
    if (isHandled) kit.mapDelete(rejections, promise)
    else kit.mapSet(rejections, promise, reason)
  }

  // The run is over: what nobody handled is its failure.
  function end () {
    const left = kit.mapSize(rejections) - MOST_TOLD
    let told = 0
    kit.mapEach(rejections, (reason) => {
      told += 1
      if (told <= MOST_TOLD) failed('run', reason, 'nobody handled this rejection: ')
    })
    if (left > 0) kit.writeLog('run', 'error', 'nobody handled ' + left + ' more rejections', 'null')
  }

  function runTriggers () {
    const own = cycle
    triggers = 'waiting'
    let fn
    try {
      fn = kit.entry('triggers')
    } catch (thrown) {
      triggers = 'failed'
      return failed('triggers', thrown)
    }
    if (typeof fn !== 'function') {
      kit.writeLog('triggers', 'warn', 'the triggers export ' + kind(fn) + ', not a function, so the variation runs for everybody; ' +
        'write module.exports = function triggers (options, cb) {…}', 'null')
      return decided(true)
    }
    function decided (yes) {
      if (own !== cycle) return
      triggers = yes ? 'yes' : 'no'
      if (yes) tasks.put(() => { if (own === cycle) activate() })
    }
    kit.runTriggers(fn, kit.options('triggers', experience), decided, (thrown) => {
      if (own === cycle) triggers = 'failed'
      failed('triggers', thrown)
    })
  }

  // What a file exports that is no function. A file that exports nothing has an object without members.
  function kind (value) {
    return typeof value === 'object' && value !== null && kit.keys(value).length === 0 ? 'nothing' : value === null ? 'null' : typeof value
  }

  // The experience is on: also a control is, which has no variation to run.
  function activate () {
    hasDecided = true
    kit.isActive = true
    kit.hooks.activated()
    if (experience.hasVariation) runVariation()
  }

  async function runVariation () {
    const own = cycle
    variation = 'running'
    try {
      const fn = kit.entry('variation')
      if (typeof fn !== 'function') {
        throw new kit.TypeError('the variation exports ' + kind(fn) + ', not a function; write module.exports = function variation (options) {…}' +
          (fn === undefined ? ', or let the bundler write its format cjs or esm' : ''))
      }
      const returned = await kit.apply(fn, undefined, [kit.options('variation', experience)])
      if (typeof returned === 'object' && returned !== null) kit.hooks.keep('variation', returned)
      if (typeof returned === 'function') {
        kit.writeLog('variation', 'warn', 'the variation returned a function, which nobody calls; call it in the variation, ' +
          'or write return { remove: … } for what is to be taken back', 'null')
      }
      if (own === cycle) variation = 'done'
    } catch (thrown) {
      if (own === cycle) variation = 'failed'
      failed('variation', thrown)
    }
  }

  const deliver = function (text) {
    const message = kit.parse(text)
    kit.setNow(message.now)
    for (let index = 0; index < message.inbox.length; index++) {
      const item = message.inbox[index]
      tasks.put(item.kind === 'event' ? () => kit.events.receive(item.type, item.data, item.at)
        : item.kind === 'restart' ? restart : item.kind === 'end' ? end
          : () => kit.answer(item.id, item.ok, item.text, item.code))
    }
  }

  // Run one task; false when none is ready. The host runs all microtasks before it asks again.
  const next = function () {
    if (kit.limit !== null) return false
    if (!tasks.isEmpty()) {
      try {
        tasks.take()()
      } catch (thrown) { // a getter or a trap of the author's, in a place that reads no further
        failed('run', thrown)
      }
      return true
    }
    const timer = kit.takeDueTimer()
    if (timer === null) return false
    kit.guarded('timer', timer.fn, timer.args)
    return true
  }

  const state = () => '"triggers":"' + (hasDecided && triggers !== 'failed' ? 'yes' : triggers) + '","variation":"' + variation +
    '","error":' + error + ',"limit":' + kit.quote(kit.limit) + ',"phase":"' + kit.phase + '","unhandled":' + (kit.mapSize(rejections) > 0) +
    (triggers === 'waiting' ? ',"waits":' + kit.events.waits() : '') + ',"restarts":' + (experience !== null && !kit.runsAcrossViews) + ',"listeners":' + kit.events.hasListeners()

  const collect = function () {
    const at = kit.nextTimerAt()
    const taken = kit.takeOut()
    return '{"outbox":[' + taken.outbox + '],' + state() + ',"wakeAt":' + (at === null ? 'null' : kit.numberText(at)) + '}' + taken.lines
  }

  return kit.record({
    start: start,
    deliver: deliver,
    next: next,
    collect: collect,
    globalThrew: globalThrew,
    setModule: kit.setModule,
    loadFailed: loadFailed,
    globalFailed: globalFailed,
    rejected: rejected
  })
})
