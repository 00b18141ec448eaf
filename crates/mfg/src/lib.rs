//! The mean-field game behind W1 + W2 proximal flows: residuals of its optimality system and its known answers.
