"""From lesions to endpoints, as RECIST 1.1 and iRECIST derive them."""
