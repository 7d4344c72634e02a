// Hooks: what an experience wants done when it is activated, and before it is run again on a later view.
(function (kit) {
  'use strict'
  const remove = kit.queue()
  const activation = kit.queue()

  function needFunction (name, fn) {
    if (typeof fn !== 'function') throw new kit.TypeError(name + ' needs a function, not ' + kit.word(fn))
  }

  // What a hook throws, or its promise rejects with, is logged and stops nothing.
  function run (hooks) {
    while (!hooks.isEmpty()) {
      const hook = hooks.take()
      const logged = (thrown) => kit.logThrown(hook.role, hook.name + ' threw: ', thrown)
      try {
        kit.whenRejected(kit.apply(hook.fn, undefined, []), logged)
      } catch (thrown) {
        logged(thrown)
      }
    }
  }

  function onRemove (role, fn) {
    needFunction('onRemove', fn)
    remove.put({ __proto__: null, role: role, name: 'onRemove', fn: fn })
  }

  // Once the experience is active there is nothing to wait for.
  function onActivation (role, fn) {
    needFunction('onActivation', fn)
    activation.put({ __proto__: null, role: role, name: 'onActivation', fn: fn })
    if (kit.isActive) kit.later(() => run(activation))
  }

  kit.hooks = kit.record({
    onRemove: onRemove,
    onActivation: onActivation,
    // what triggers or a variation return: {remove, onActivation, runAcrossViews}
    keep (role, returned) {
      if (typeof returned.remove === 'function') onRemove(role, returned.remove)
      if (role !== 'triggers') return
      if (typeof returned.onActivation === 'function') onActivation(role, returned.onActivation)
      if (returned.runAcrossViews) kit.runsAcrossViews = true
    },
    activated: () => run(activation),
    removed () {
      while (!activation.isEmpty()) activation.take()
      run(remove)
    }
  })
})
