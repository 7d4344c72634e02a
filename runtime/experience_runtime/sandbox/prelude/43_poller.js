// Polling: functions until they answer something truthy, and 'window.a.b' paths until something is there.
(function (kit) {
  'use strict'
  const TIMEOUT = 5000
  const FIRST_WAIT = 17
  const LONGEST_WAIT = 250
  const GROWTH = 1.5

  const isPath = (target) => target === 'window' || kit.slice(target, 0, 7) === 'window.'

  function check (target) {
    if (typeof target === 'function' || (typeof target === 'string' && isPath(target))) return
    if (typeof target === 'string') {
      throw new kit.Error('Poller: the selector ' + kit.quote(kit.slice(target, 0, 200)) + ' needs a DOM, and there is none here; ' +
        "poll a function or a path such as 'window.basket'")
    }
    throw new kit.TypeError("Poller: a target is a function or a path such as 'window.basket', not " + kit.word(target))
  }

  function checkAll (targets) {
    if (!kit.isArray(targets)) return check(targets)
    for (let index = 0; index < targets.length; index++) check(targets[index])
  }

  function reached (path) {
    let value = kit.global
    let rest = kit.slice(path, 7)
    while (rest !== '' && value !== undefined && value !== null) {
      const dot = kit.indexOf(rest, '.')
      const name = dot < 0 ? rest : kit.slice(rest, 0, dot)
      rest = dot < 0 ? '' : kit.slice(rest, dot + 1)
      value = value[name]
    }
    return rest === '' ? value : undefined
  }

  const evaluate = (target) => typeof target === 'function' ? target() || undefined : reached(target)
  const shown = (target) => typeof target === 'string' ? target : kit.slice(kit.sourceOf(target), 0, 200)

  // Look at once, then ever less often; tell `found` an array, or `failed` an Error. -> {start, stop}
  function watch (targets, timeout, stopOnError, found, failed) {
    const list = kit.isArray(targets) ? targets : [targets]
    let timer = null
    let wait = FIRST_WAIT
    let endsAt = 0
    let isDone = false
    let warned = false

    // -> the first target that is not there yet; undefined when all are
    function missing (values) {
      for (let index = 0; index < list.length; index++) {
        const value = evaluate(list[index])
        if (value === undefined) return list[index]
        kit.push(values, value)
      }
    }

    function look () {
      timer = null
      const values = []
      let left
      try {
        left = missing(values)
      } catch (thrown) {
        if (stopOnError) return end(failed, thrown)
        if (!warned) kit.logThrown('poller', 'a target threw, and is polled again: ', thrown)
        warned = true
        left = list[values.length]
      }
      if (left === undefined) return end(found, values)
      if (kit.now >= endsAt) {
        const error = new kit.Error('Poller: could not resolve ' + shown(left))
        kit.hidden(error, 'code', 'EPOLLER:TIMEOUT')
        return end(failed, error)
      }
      timer = kit.startTimer(look, wait < endsAt - kit.now ? wait : endsAt - kit.now)
      wait = wait * GROWTH < LONGEST_WAIT ? wait * GROWTH : LONGEST_WAIT
    }

    function end (tell, value) {
      isDone = true
      tell(value)
    }

    function stop () {
      if (timer !== null) kit.clearTimer(timer)
      timer = null
    }

    return kit.record({
      start () {
        stop()
        if (isDone) return
        endsAt = kit.now + timeout
        wait = FIRST_WAIT
        look()
      },
      stop: stop
    })
  }

  // -> {start, stop, then, catch}
  function promised (targets, settings, stopOnError) {
    checkAll(targets)
    const given = typeof settings === 'object' && settings !== null ? settings : {}
    const timeout = typeof given.timeout === 'number' && given.timeout >= 0 ? given.timeout : TIMEOUT
    const result = kit.syncPromise.defer()
    const polling = watch(targets, timeout, given.stopOnError === undefined ? stopOnError : !!given.stopOnError,
      (values) => result.resolve(kit.isArray(targets) ? values : values[0]), result.reject)
    polling.start()
    return {
      start: function start () {
        polling.start()
        return result.promise
      },
      stop: function stop () { polling.stop() },
      then: result.promise.then,
      catch: result.promise.catch
    }
  }

  // -> a function that cancels
  function calling (targets, callback) {
    checkAll(targets)
    const polling = watch(targets, TIMEOUT, false,
      (values) => kit.guarded('poller', callback, values),
      (error) => kit.writeLog('poller', 'warn', error.message, 'null'))
    polling.start()
    return function cancel () { polling.stop() }
  }

  const poller = function poller (targets, settings) {
    return typeof settings === 'function' ? calling(targets, settings) : promised(targets, settings, false)
  }
  kit.poller = kit.record({ promised: promised, poller: poller })
})
