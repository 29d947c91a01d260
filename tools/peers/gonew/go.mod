module gonew

go 1.19
