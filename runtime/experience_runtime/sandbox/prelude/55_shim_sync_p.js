// require('sync-p'): promises that run their handlers at once.
(function (kit) {
  'use strict'
  const sync = kit.syncPromise

  function promise (executor) {
    if (typeof executor !== 'function') throw new kit.TypeError('a promise needs a function, not ' + kit.word(executor))
    const made = sync.defer()
    try {
      executor(made.resolve, made.reject)
    } catch (thrown) {
      made.reject(thrown)
    }
    return made.promise
  }

  // Whatever came, as a list of values in the order of the promises, put together by position.
  function all (promises) {
    const made = sync.defer()
    const got = kit.create(null)
    let missing = promises.length
    const finish = () => {
      const values = []
      for (let index = 0; index < promises.length; index++) kit.push(values, got[index])
      made.resolve(values)
    }
    if (missing === 0) finish()
    for (let index = 0; index < promises.length; index++) {
      sync.resolved(promises[index]).then((value) => {
        got[index] = value
        missing -= 1
        if (missing === 0) finish()
      }, made.reject)
    }
    return made.promise
  }

  function race (promises) {
    const made = sync.defer()
    for (let index = 0; index < promises.length; index++) sync.resolved(promises[index]).then(made.resolve, made.reject)
    return made.promise
  }

  function any (promises) {
    const made = sync.defer()
    const got = kit.create(null)
    let left = promises.length
    if (left === 0) made.resolve([]) // as the package has it
    for (let index = 0; index < promises.length; index++) {
      sync.resolved(promises[index]).then(made.resolve, (reason) => {
        got[index] = reason
        left -= 1
        if (left > 0) return
        const reasons = []
        for (let each = 0; each < promises.length; each++) kit.push(reasons, got[each])
        made.reject(reasons)
      })
    }
    return made.promise
  }

  function defer () {
    const made = sync.defer()
    return { promise: made.promise, resolve: made.resolve, reject: made.reject }
  }

  promise.all = all
  promise.race = race
  promise.any = any
  promise.defer = defer
  promise.resolve = function resolve (value) { return sync.resolved(value) }
  promise.reject = function reject (reason) { return sync.rejected(reason) }
  kit.syncP = promise
})
