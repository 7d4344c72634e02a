// One run, from the outside: start it, deliver answers and time, take one task at a time, collect what it asks.
// The host holds these four functions; guest code never does. Text goes in, text comes out.
(function (kit) {
  'use strict'
  let outbox = ''
  let triggers = 'none' // none | waiting | yes | no | failed
  let variation = 'none' // none | running | done | failed
  let error = 'null'
  const tasks = kit.queue()

  kit.out = (text) => { outbox += (outbox === '' ? '' : ',') + text }

  function failed (role, thrown) {
    const found = kit.describe(thrown)
    if (found.memory) kit.limit = kit.limit || 'limit_memory'
    if (error === 'null') error = '{"role":"' + role + '","code":' + kit.quote(found.code) + ',"text":' + kit.quote(found.text) + ',"message":' +
      kit.quote(found.message) + ',"stack":' + kit.quote(found.stack) + '}'
    kit.writeLog(role, 'error', found.text, '{"stack":' + kit.quote(found.stack) + '}')
  }

  const start = function (text) {
    const boot = kit.parse(text)
    kit.setNow(boot.now)
    kit.seed(boot.seed)
    kit.setLogLimit(boot.logBytes)
    kit.setCallLimit(boot.calls)
    kit.setModules(boot.modules)
    try {
      kit.compileModules()
    } catch (thrown) {
      return failed('load', thrown)
    }
    if (boot.checkOnly) return
    const linked = kit.create(null)
    for (let index = 0; index < boot.linked.length; index++) linked[boot.linked[index]] = true
    boot.integration = kit.integration(linked)
    for (let index = 0; index < boot.events.length; index++) kit.part('events').remember(boot.events[index].type, boot.events[index].data)
    if (boot.globalText !== null) tasks.put(() => runGlobal(boot.globalText))
    tasks.put(() => (boot.hasTriggers ? runTriggers(boot) : runVariation(boot)))
  }

  function runGlobal (text) {
    try {
      kit.evaluate(text)
    } catch (thrown) {
      kit.logThrown('global', '', thrown)
    }
  }

  function runTriggers (boot) {
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
      triggers = yes ? 'yes' : 'no'
      if (yes) tasks.put(() => runVariation(boot))
    }
    kit.part('triggers')(fn, kit.options('triggers', boot), decided, (thrown) => {
      triggers = 'failed'
      failed('triggers', thrown)
    }, () => {})
  }

  async function runVariation (boot) {
    if (!boot.hasVariation) return
    variation = 'running'
    try {
      const fn = kit.load('variation')
      if (typeof fn !== 'function') {
        throw new kit.TypeError('the variation exports ' + (typeof fn) + ', not a function; write module.exports = function variation (options) {…}')
      }
      await kit.apply(fn, undefined, [kit.options('variation', boot)])
      variation = 'done'
    } catch (thrown) {
      variation = 'failed'
      failed('variation', thrown)
    }
  }

  const deliver = function (text) {
    const message = kit.parse(text)
    kit.setNow(message.now)
    for (let index = 0; index < message.inbox.length; index++) {
      const item = message.inbox[index]
      tasks.put(item.kind === 'event' ? () => kit.part('events').receive(item.type, item.data)
        : () => kit.answer(item.id, item.ok, item.text, item.code))
    }
  }

  // Run one task; false when none is ready. The host runs all microtasks before it asks again.
  const next = function () {
    if (kit.limit !== null) return false
    if (!tasks.isEmpty()) {
      tasks.take()()
      return true
    }
    const timer = kit.takeDueTimer()
    if (timer === null) return false
    try {
      kit.apply(timer.fn, undefined, timer.args)
    } catch (thrown) {
      variation = 'failed'
      failed('timer', thrown)
    }
    return true
  }

  const collect = function () {
    const at = kit.nextTimerAt()
    const text = '{"outbox":[' + outbox + '],"triggers":"' + triggers + '","variation":"' + variation + '","error":' + error +
      ',"limit":' + kit.quote(kit.limit) + ',"phase":"' + kit.phase + '","pendingCalls":' + kit.pendingCalls() +
      ',"listeners":' + (kit.has('events') && kit.part('events').hasListeners()) + ',"wakeAt":' + (at === null ? 'null' : kit.numberText(at)) + '}'
    outbox = ''
    return kit.slice(text, 0) // one flat string: the binding cannot read the engine's ropes
  }

  return function (name) {
    return name === 'start' ? start : name === 'deliver' ? deliver : name === 'next' ? next : collect
  }
})
