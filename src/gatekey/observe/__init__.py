"""What an operator sees of the gateway. Knows neither HTTP serving nor the other adapters."""
