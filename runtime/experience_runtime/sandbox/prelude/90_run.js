// One run, from the outside: start it, deliver answers and time, take one task at a time, collect what it asks.
// The worker holds these functions; guest code never does. Text goes in, text comes out.
(function (kit) {
  'use strict'
  let outbox = ''
  let triggers = 'none' // none | waiting | yes | no | failed
  let variation = 'none' // none | running | done | failed
  let error = 'null'
  let threwNull = false
  const tasks = kit.queue()
  let experience = null // what is run, once it has begun
  let cycle = 0 // a later view begins the next; what an earlier one still says is not heard
  let hasDecided = false // in any cycle, that the variation runs
  kit.later = (task) => tasks.put(task)
  kit.isActive = false
  kit.runsAcrossViews = false

  kit.out = (text) => { outbox += (outbox === '' ? '' : ',') + text }

  // Out of memory is noted first of all: there may be none left to tell it with. An engine without room for
  // even the Error throws null; only the worker knows whether memory was short, so that waits for `collect`.
  kit.noteMemory = function (thrown) {
    if (thrown === null) threwNull = true
    if (typeof thrown !== 'object' || thrown === null) return
    kit.phase = 'describing'
    try {
      const message = kit.prototypeOf(thrown) === kit.memoryErrors ? kit.descriptor(thrown, 'message') : undefined
      if (message !== undefined && message.value === 'out of memory') kit.limit = kit.limit || 'limit_memory'
    } catch (again) { // a trap of a hostile value; describing it says so
    }
    kit.phase = 'running'
  }

  const UNREADABLE = '{"role":"run","code":"","text":"a value that cannot be read","stack":""}'

  function failed (role, thrown) {
    const isFirst = error === 'null'
    if (isFirst) error = UNREADABLE // holds when there is no memory for more
    kit.noteMemory(thrown)
    try {
      const found = kit.describe(thrown)
      const stack = kit.quote(found.stack)
      if (isFirst) error = '{"role":"' + role + '","code":' + kit.quote(found.code) + ',"text":' + kit.quote(found.text) + ',"stack":' + stack + '}'
      kit.writeLog(role, 'error', found.text, '{"stack":' + stack + '}')
    } catch (again) {
      kit.noteMemory(again)
    }
  }

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

  // -> the text of the global script, which the worker runs next
  const start = function (text) {
    const boot = kit.parse(text)
    kit.setNow(boot.now)
    kit.seed(boot.seed)
    kit.zoneName = boot.zone
    kit.zoneText = boot.offsetsText
    kit.setLogLimit(boot.logBytes)
    kit.setCallLimit(boot.calls)
    kit.setModules(boot.modules)
    try {
      kit.compileModules()
      if (boot.checkOnly) kit.compileGlobal(boot.globalText)
    } catch (thrown) {
      failed('load', thrown)
      return ''
    }
    if (boot.checkOnly) return ''
    const linked = kit.create(null)
    for (let index = 0; index < boot.linked.length; index++) linked[boot.linked[index]] = true
    boot.integration = kit.integration(linked)
    for (let index = 0; index < boot.events.length; index++) kit.part('events').remember(boot.events[index].type, boot.events[index].data)
    experience = boot
    begin()
    return boot.globalText
  }

  function begin () {
    tasks.put(() => experience.hasTriggers ? runTriggers() : activate())
  }

  // A later view: take back what was done, and run all again in the same scope.
  function restart () {
    if (experience === null || kit.runsAcrossViews) return
    cycle += 1
    kit.isActive = false
    if (kit.has('hooks')) kit.part('hooks').removed()
    begin()
  }

  const globalThrew = function (text, stack) {
    kit.writeLog('global', 'error', kit.slice(text, 0, 4096), '{"stack":' + kit.quote(stack) + '}')
  }

  function runTriggers () {
    const own = cycle
    triggers = 'waiting'
    let fn
    try {
      fn = kit.load('triggers')
    } catch (thrown) {
      triggers = 'failed'
      return failed('triggers', thrown)
    }
    if (typeof fn !== 'function') return decided(true)
    function decided (yes) {
      if (own !== cycle) return
      triggers = yes ? 'yes' : 'no'
      if (yes) tasks.put(() => { if (own === cycle) activate() })
    }
    kit.part('triggers')(fn, kit.options('triggers', experience), decided, (thrown) => {
      if (own === cycle) triggers = 'failed'
      failed('triggers', thrown)
    })
  }

  // The experience is on: also a control is, which has no variation to run.
  function activate () {
    hasDecided = true
    kit.isActive = true
    if (kit.has('hooks')) kit.part('hooks').activated()
    if (experience.hasVariation) runVariation()
  }

  async function runVariation () {
    const own = cycle
    variation = 'running'
    try {
      const fn = kit.load('variation')
      if (typeof fn !== 'function') {
        throw new kit.TypeError('the variation exports ' + (typeof fn) + ', not a function; write module.exports = function variation (options) {…}')
      }
      const returned = await kit.apply(fn, undefined, [kit.options('variation', experience)])
      if (typeof returned === 'object' && returned !== null) kit.part('hooks').keep('variation', returned)
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
      tasks.put(item.kind === 'event' ? () => kit.part('events').receive(item.type, item.data)
        : item.kind === 'restart' ? restart
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

  // `memory` is 'short' when this run came near its limit.
  const collect = function (memory) {
    if (threwNull && memory === 'short') kit.limit = kit.limit || 'limit_memory'
    const at = kit.nextTimerAt()
    const text = '{"outbox":[' + outbox + '],"triggers":"' + (hasDecided && triggers !== 'failed' ? 'yes' : triggers) + '","variation":"' + variation + '","error":' + error +
      ',"limit":' + kit.quote(kit.limit) + ',"phase":"' + kit.phase + '","restarts":' + (experience !== null && !kit.runsAcrossViews) + ',"listeners":' + (kit.has('events') && kit.part('events').hasListeners()) + ',"wakeAt":' + (at === null ? 'null' : kit.numberText(at)) + '}'
    outbox = ''
    return kit.slice(text, 0) // one flat string: the binding cannot read the engine's ropes
  }

  return function (name) {
    return name === 'start' ? start : name === 'deliver' ? deliver : name === 'next' ? next
      : name === 'globalThrew' ? globalThrew : collect
  }
})
