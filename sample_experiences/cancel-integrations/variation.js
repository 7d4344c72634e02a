// Schedules a message, and cancels it when the visitor empties the basket.
module.exports = function variation (options) {
  // Slack integration that posts messages to a specific channel
  const integration = options.integration('slack-update')

  // The same unique key is used for scheduling and for cancelling the execution
  const key = {
    foo: 'bar'
  }

  integration.schedule({ message: 'A basket has been waiting for two hours' }, { key, delay: '2 hours' })
    .catch((err) => {
      options.log.error(`Could not schedule execution: ${err.message}`)
    })

  options.uv.once('basketEmptied', () => {
    const cancelOptions = {
      key,
      reason: 'the basket is empty'
    }

    integration.cancel(cancelOptions)
      .catch((err) => {
        options.log.error(`Could not cancel scheduled execution: ${err.message}`)
      })
  })
}
