// Timers: a list in the order they fire; the host says when one is due.
(function (kit) {
  'use strict'
  let firstTimer = null
  let lastId = 0

  function insert (timer) {
    let before = null
    let node = firstTimer
    while (node !== null && node.at <= timer.at) {
      before = node
      node = node.next
    }
    timer.next = node
    if (before === null) firstTimer = timer
    else before.next = timer
  }

  function remove (id) {
    let before = null
    for (let node = firstTimer; node !== null; before = node, node = node.next) {
      if (node.id !== id) continue
      if (before === null) firstTimer = node.next
      else before.next = node.next
      return
    }
  }

  function start (fn, delay, args, every) {
    if (typeof fn !== 'function') throw new kit.TypeError('a timer needs a function, not ' + kit.word(fn))
    let wait = typeof delay === 'number' ? delay : kit.Number(delay)
    wait = wait >= 1 && wait <= 2147483647 ? wait - (wait % 1) : 1
    lastId += 1
    insert({ __proto__: null, id: lastId, at: kit.now + wait, every: every ? wait : 0, fn: fn, args: args, next: null })
    return lastId
  }

  kit.hidden(kit.global, 'setTimeout', function setTimeout (fn, delay, ...args) { return start(fn, delay, args, false) })
  kit.hidden(kit.global, 'setInterval', function setInterval (fn, delay, ...args) { return start(fn, delay, args, true) })
  kit.hidden(kit.global, 'clearTimeout', function clearTimeout (id) { remove(id) })
  kit.hidden(kit.global, 'clearInterval', function clearInterval (id) { remove(id) })
  kit.hidden(kit.global, 'queueMicrotask', function queueMicrotask (fn) {
    if (typeof fn !== 'function') throw new kit.TypeError('queueMicrotask needs a function, not ' + kit.word(fn))
    kit.queueMicrotask(() => kit.guarded('microtask', fn, []))
  })
  kit.startTimer = (fn, delay) => start(fn, delay, [], false)
  kit.clearTimer = remove
  kit.nextTimerAt = () => firstTimer === null ? null : firstTimer.at
  kit.takeDueTimer = function () {
    if (firstTimer === null || firstTimer.at > kit.now) return null
    const timer = firstTimer
    firstTimer = timer.next
    if (timer.every > 0) {
      timer.at = kit.now + timer.every
      insert(timer)
    }
    return timer
  }
})
