module.exports = function variation (options) {
  // Slack integration that posts messages to a specific channel
  const integration = options.integration('slack-update')

  // Payload is same as calling an integration directly
  const options = {
    // The same unique key used when scheduling the execution
    key: {
      foo: 'bar'
    }
  }

  integration.cancel(options)
    .catch((err) => {
      options.log.error(`Could not cancel scheduled execution: ${err.message}`)
    })
}
