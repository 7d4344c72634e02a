// require('@qubit/utils')(): a page's tools, each giving back its undoing. What touches the DOM says that there is none.
(function (kit) {
  'use strict'
  kit.utils = function utils () {
    const undoings = kit.queue()
    const noDom = (name) => function () {
      throw new kit.Error('@qubit/utils ' + name + ' needs a DOM, and there is none here; what a page shows cannot be part of this experience')
    }

    function onEvent (target, type, fn) {
      target.addEventListener(type, fn)
      let isDone = false
      const restore = function restore () {
        if (isDone) return
        isDone = true
        undoings.drop(restore)
        target.removeEventListener(type, fn)
      }
      undoings.put(restore)
      return restore
    }

    return {
      replace: noDom('replace'),
      insertBefore: noDom('insertBefore'),
      insertAfter: noDom('insertAfter'),
      appendChild: noDom('appendChild'),
      style: noDom('style'),
      onEnterViewport: noDom('onEnterViewport'),
      onEvent: onEvent,
      restoreAll: function restoreAll () { while (!undoings.isEmpty()) undoings.take()() }
    }
  }
})
