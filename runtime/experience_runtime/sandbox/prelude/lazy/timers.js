// Timers: a list in the order they fire.
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

  return kit.record({
    start: start,
    remove: remove,
    nextAt: () => firstTimer === null ? null : firstTimer.at,
    takeDue () {
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
})
